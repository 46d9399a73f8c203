#pragma once
// How much arithmetic a network does, counted from its shapes.
#include <cstdint>

namespace fresco {

/// Multiplications, each with its addition, that a direct method does: by kind of layer, so that one sees where they are. Savings such
/// as Winograd's are not taken off.
struct MultiplyAdds {
  int64_t conv3x3 = 0;
  int64_t conv3x3_enlarged = 0;  // after nearest upsampling
  int64_t conv3x3_halving = 0;   // stride 2
  int64_t pointwise = 0;         // 1x1
  int64_t feed_forward = 0;
  int64_t projections = 0;  // to and from attention
  int64_t attention = 0;    // scores, and values weighted by them
  int64_t time = 0;         // embedding of the time, and its projection in every resnet

  int64_t total() const {
    return conv3x3 + conv3x3_enlarged + conv3x3_halving + pointwise + feed_forward + projections + attention + time;
  }
};

/// visit(name, member) for every kind, in the order above.
template <typename Count, typename Visitor>
void for_each_kind(Count& count, Visitor&& visit) {
  visit("conv3x3", count.conv3x3);
  visit("conv3x3_enlarged", count.conv3x3_enlarged);
  visit("conv3x3_halving", count.conv3x3_halving);
  visit("pointwise", count.pointwise);
  visit("feed_forward", count.feed_forward);
  visit("projections", count.projections);
  visit("attention", count.attention);
  visit("time", count.time);
}

}  // namespace fresco
