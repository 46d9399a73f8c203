#include "fresco/report/format.h"

#include <gtest/gtest.h>

#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/report/base64.h"
#include "fresco/report/page.h"

namespace fresco::report {
namespace {

TEST(Figures, KeepThreeDigits) {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},         {0.000412, "0.000412"}, {0.0412, "0.0412"},  {0.412, "0.412"},        {0.99949, "0.999"},
      {0.9996, "1.00"}, {1.234, "1.23"},        {9.996, "10.0"},     {45.64, "45.6"},         {99.96, "100"},
      {789.4, "789"},   {999.6, "1,000"},       {12345.6, "12,346"}, {1234567.8, "1,234,568"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(figure(value), text);
}

TEST(Figures, HaveUnits) {
  EXPECT_EQ(seconds_text(0.0412), "41.2 ms");
  EXPECT_EQ(seconds_text(0.9999), "1.00 s");
  EXPECT_EQ(seconds_text(424.3), "424 s");
  EXPECT_EQ(bytes_text(312.4e6), "312 MB");
  EXPECT_EQ(bytes_text(5.34e9), "5.34 GB");
  EXPECT_EQ(millions_text(859'520'964), "860 M");
  EXPECT_EQ(giga_text(401.6e9), "402 G");
  EXPECT_EQ(giga_text(41.4e12), "41.4 T");
  EXPECT_EQ(grouped(-123), "-123");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(Escaping, LeavesNoMarkupInText) {
  EXPECT_EQ(escaped("<script>alert(\"x\" & 'y')</script>"),
            "&lt;script&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/script&gt;");
  EXPECT_EQ(escaped("caf\xc3\xa9 \xe6\x98\x9f"), "caf\xc3\xa9 \xe6\x98\x9f");
  EXPECT_EQ(escaped("a\xff"
                    "b\x01"
                    "c\x7f"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd"
            "c\xef\xbf\xbd");
}

TEST(Base64, IsThatOfTheStandard) {
  // RFC 4648, section 10
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : cases) {
    EXPECT_EQ(to_base64(std::as_bytes(std::span(plain))), text);
    const auto back = from_base64(text);
    EXPECT_EQ(std::string(back.begin(), back.end()), plain);
  }
  EXPECT_THROW(from_base64("Zg="), FormatError);
  EXPECT_THROW(from_base64("Z!=="), FormatError);
}

TEST(Base64, CrossesItsBlocks) {
  std::vector<uint8_t> bytes(3 * (1 << 20) + 5);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 31 >> 3);
  EXPECT_EQ(from_base64(to_base64(std::as_bytes(std::span(bytes)))), bytes);
}

TEST(Ticks, DivideAnAxisIntoTwoToFive) {
  for (double most = 0.0013; most < 1e5; most *= 1.37) {
    const double parts = most / tick_distance(most);
    EXPECT_GE(parts, 2 - 1e-9) << most;
    EXPECT_LE(parts, 5 + 1e-9) << most;
  }
  EXPECT_EQ(tick_distance(0), 1);
}

}  // namespace
}  // namespace fresco::report
