#pragma once
// Two measurements side by side: what they come to, and what may be said of them.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "fresco/evaluation/measure.h"
#include "fresco/evaluation/statistics.h"
#include "fresco/report/machine.h"

namespace fresco::evaluation {

/// What both models were given.
struct Conditions {
  std::vector<std::string> prompts;  // one a picture
  std::vector<uint64_t> seeds;       // one a picture
  int repeat = 1;
  std::optional<double> price_per_hour;  // of the machine, in whatever currency
  report::Machine machine;
  std::string date;  // report::time_now()
};

struct Summary {
  Spread step, picture, text, denoise, decode;  // seconds
  double iterations_per_second = 0;             // U-Net calls, from the median
  double pictures_per_hour = 0;                 // from the sum of all
  double hours_per_10000 = 0;
  std::optional<double> cost_per_10000;
  double multiply_adds_per_second = 0;  // of the U-Net's calls
};

struct Contestant {
  std::string label;  // short, and different from the other's
  Measurement measured;
  Summary summary;
};

struct PicturePair {
  std::string prompt;
  uint64_t seed = 0;
  bool equal = false;                // byte by byte
  std::optional<double> psnr;        // dB; only for unequal pictures of the same weights and size
  std::array<std::string, 2> files;  // beside the report; empty when they are not written
};

/// Faster by less than this factor is called equal: repeated runs differ by as much.
inline constexpr double kEqual = 1.02;

struct Verdict {
  int faster = -1;    // 0 or 1; -1: equal
  double factor = 1;  // slower / faster, seconds a picture
};

struct Comparison {
  Conditions conditions;
  std::array<Contestant, 2> sides;  // A and B
  std::vector<PicturePair> pairs;
  Verdict verdict;

  bool same_weights() const { return sides[0].measured.hash == sides[1].measured.hash; }
};

Summary summarize(const Measurement& measurement, std::optional<double> price_per_hour);

Comparison compare(Conditions conditions, Measurement a, Measurement b);

/// Which is faster, and by what factor.
std::string verdict_text(const Comparison& comparison);
/// Where the difference comes from: calls, and seconds a call.
std::string reason_text(const Comparison& comparison);
/// What the figures leave out, and how they were taken; a sentence or two each.
std::vector<std::string> method_texts(const Comparison& comparison);

}  // namespace fresco::evaluation
