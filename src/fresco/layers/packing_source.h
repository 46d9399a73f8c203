#pragma once
// Writes what layers ask for into a packed file, as they would have it packed. Networks made from this source name every tensor in the
// order they use them, and are thrown away: their weights hold nothing.
#include "fresco/checkpoint/packed_file.h"
#include "fresco/layers/weight_source.h"

namespace fresco::layers {

class PackingSource : public WeightSource {
 public:
  /// source: where the values come from, prepared for the CPU; stored: the same tensors as their file has them.
  PackingSource(const WeightSource& source, const checkpoint::TensorSource& stored, checkpoint::PackedWriter& writer,
                checkpoint::PackedPart& part)
      : source_(source), stored_(stored), writer_(writer), part_(part) {}

  at::Tensor get(const std::string& name, at::IntArrayRef shape) const override;
  at::Tensor stack(const std::vector<std::string>& names, at::IntArrayRef shape, bool may_stay_half) const override;
  at::Tensor table(const std::string& name, at::IntArrayRef shape) const override;
  ops::PackedStore packed(const std::vector<std::string>& names, at::IntArrayRef shape,
                          ops::Layout layout) const override;
  ops::Products products_of(const std::string& layer) const override { return source_.products_of(layer); }

 private:
  at::Tensor add_plain(const std::vector<std::string>& names, const at::Tensor& values) const;
  checkpoint::PackedTensor describe(const std::vector<std::string>& names, at::ScalarType storage) const;
  bool rounds(const std::string& name, checkpoint::ElementType storage) const;

  const WeightSource& source_;
  const checkpoint::TensorSource& stored_;
  checkpoint::PackedWriter& writer_;
  checkpoint::PackedPart& part_;
};

}  // namespace fresco::layers
