// The dump parser: text cut anywhere, and damaged text, which may be refused but never crash.
#include "core/common/error.h"
#include "core/dumps/dump_parser.h"

#include "core/tests/support/check.h"

#include <cmath>
#include <random>
#include <string>

namespace {

std::string frame_text(int step) {
  return "ITEM: TIMESTEP\n" + std::to_string(step) +
         "\nITEM: NUMBER OF ATOMS\n3\n"
         "ITEM: BOX BOUNDS xy xz yz pp pp ff\n-1.5 10 1.5\n0 9 -0.5\n2 8 0.25\n"
         "ITEM: ATOMS x y z element id ix iy iz vx\n"
         "1.25 2 3 Li 3 1 0 0 nan\n-0.5 1e1 .5 S 1 0 -1 0 0\n4 5 6 P 2 0 0 2 1\n";
}

void check_frame(const lpsnmr::dumps::Frame &frame, int step) {
  CHECK(frame.step == step);
  CHECK(std::isnan(frame.time));
  const std::array<double, 9> cell{9.5, 0, 0, 1.5, 8.75, 0, -0.5, 0.25, 6};
  for (std::size_t k = 0; k < 9; ++k) CHECK(std::fabs(frame.cell[k] - cell[k]) < 1e-14);
  CHECK((frame.origin == std::array<double, 3>{-1.0, 0.0, 2.0}));
  CHECK((frame.periodic == std::array<bool, 3>{true, true, false}));
  CHECK((frame.id == std::vector<std::int64_t>{1, 2, 3}));
  CHECK(frame.positions[0] == -0.5 && frame.positions[1] == 10.0 && frame.positions[6] == 1.25);
  CHECK(frame.unwrapped[6] == 1.25 + 9.5 && frame.unwrapped[1] == 10.0 - 8.75);
}

void test_cut_anywhere() {
  const std::string text = frame_text(5) + frame_text(10);
  for (std::size_t piece = 1; piece < 60; ++piece) {
    lpsnmr::dumps::Parser parser;
    lpsnmr::dumps::Frame frame;
    int frames = 0;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      parser.feed(text.data() + at, std::min(piece, text.size() - at));
      while (parser.next(frame)) check_frame(frame, 5 * ++frames);
    }
    CHECK(frames == 2 && parser.frames() == 2);
    CHECK(!parser.pending() && parser.line() == 24);
  }
  lpsnmr::dumps::Parser parser;
  lpsnmr::dumps::Frame frame;
  parser.feed(text.data(), text.size() - 1); // without the last newline
  CHECK(parser.next(frame) && !parser.next(frame) && parser.pending());
}

void test_damage() {
  const std::string good = frame_text(5) + frame_text(10) + frame_text(15);
  const std::string bytes = "0123456789.-+eE \n\tnaifITEM:xyzsu\r";
  std::mt19937 random(12345);
  int refused = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    std::string text = good;
    for (unsigned k = random() % 6; k > 0; --k) {
      const std::size_t at = random() % text.size();
      const char byte =
          random() % 8 == 0 ? static_cast<char>(random() % 256) : bytes[random() % bytes.size()];
      switch (random() % 3) {
      case 0:
        text[at] = byte;
        break;
      case 1:
        text.erase(at, random() % 40);
        break;
      default:
        text.insert(at, random() % 4 + 1, byte);
      }
      if (text.empty()) text = "\n";
    }
    lpsnmr::dumps::Parser parser;
    lpsnmr::dumps::Frame frame;
    try {
      for (std::size_t at = 0; at < text.size(); at += 37) {
        parser.feed(text.data() + at, std::min<std::size_t>(37, text.size() - at));
        while (parser.next(frame)) {
          for (double x : frame.positions) CHECK(std::isfinite(x));
          CHECK(frame.positions.size() == 3 * frame.id.size());
        }
      }
    } catch (const lpsnmr::Error &error) {
      ++refused;
      CHECK(std::string(error.what()).rfind("line ", 0) == 0);
    }
  }
  CHECK(refused > 1000);
}

} // namespace

int main() {
  test_cut_anywhere();
  test_damage();
  if (failures == 0) std::puts("dump_parser: all passed");
  return failures == 0 ? 0 : 1;
}
