// Watches a drawing, keeps a rough picture of it, stops on Ctrl-C between two steps: watch MODEL PROMPT PICTURE.png
#include <fresco/fresco.h>

#include <csignal>
#include <cstdio>

namespace {

volatile std::sig_atomic_t stop = 0;

class Watcher : public fresco::Observer {
 public:
  void on_step(const fresco::Step& step) override {
    std::printf("\rstep %d of %d, %.2f s  ", step.index, step.of, step.seconds);
    std::fflush(stdout);
  }
  void on_stage(std::string_view name, double seconds) override {
    std::printf("\r%-12.*s %7.3f s     \n", static_cast<int>(name.size()), name.data(), seconds);
  }
  void on_warning(std::string_view text) override {
    std::fprintf(stderr, "warning: %.*s\n", static_cast<int>(text.size()), text.data());
  }
  bool cancelled() const override { return stop != 0; }
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) throw fresco::InputError("watch", "expected MODEL PROMPT PICTURE.png");
  std::signal(SIGINT, [](int) { stop = 1; });

  Watcher watcher;
  const auto model = fresco::Model::load({.files = {.model = argv[1]}}, watcher);
  fresco::DrawRequest request{.prompts = {argv[2]}};
  request.preview = [&](const fresco::Picture& rough) {
    fresco::write_picture(argv[3], rough, {}, /*overwrite=*/true);
  };
  const auto drawing = model.draw(request, watcher);
  fresco::write_picture(argv[3], drawing.pictures[0].picture, {}, /*overwrite=*/true);
  std::printf("seed %llu\n", static_cast<unsigned long long>(drawing.pictures[0].seed));
} catch (const fresco::Error& error) {
  std::fprintf(stderr, "\n%s\n", error.what());
  return static_cast<int>(error.exit_status());
}
