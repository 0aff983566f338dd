// A PDF that somebody uploads, as the chat app's process for it reads it: pages are UTF-8, no more than were
// wanted, and it ends.
#include "base/utf8.hpp"
#include "chat/pdf.hpp"
#include "chat/text_file.hpp"
#include "check.hpp"

using namespace spillway;

namespace {

class Sink final : public chat::PageSink {
public:
    bool on_page(std::string page) override {
        SPILLWAY_EXPECT(is_utf8(page));
        bytes_ += page.size();
        return ++pages_ < 3 && bytes_ < (1U << 20U);
    }
    [[nodiscard]] bool is_over() const override { return ++looks_ > 200; }

private:
    std::size_t pages_ = 0;
    std::size_t bytes_ = 0;
    mutable std::size_t looks_ = 0;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Sink sink;
    static_cast<void>(chat::read_pdf(fuzz::as_text(data, size), 10, sink));
    return 0;
}
