#pragma once
// A client made of memory: what it asked, and what it got.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/responder.hpp"

namespace spillway::gateway {

class FakeClient final : public http::Responder {
public:
    FakeClient(Loop& loop, std::string_view method, std::string_view target, std::vector<http::Field> fields,
               std::string_view body = "")
        : Responder(loop), method_(method), target_(target), fields_(std::move(fields)), text_(body) {
        text_.append(64, '\0');  // readable behind the body, see http::Exchange::body()
        head_.method = method_;
        head_.target = target_;
        for (const http::Field& f : fields_) head_.fields.add(f.name, f.value);
        body_ = std::string_view(text_).substr(0, body.size());
        peer_ = "192.0.2.1:4711";
        received_at_ = mono_now();
    }

    [[nodiscard]] http::Exchange exchange() { return exchange_of(*this); }

    // What it got:
    unsigned status = 0;
    std::optional<std::uint64_t> length;
    std::string got;
    bool ended = false;
    bool cut = false;
    std::size_t writes = 0;
    [[nodiscard]] const std::string& fields() const noexcept { return out_head_; }
    [[nodiscard]] bool has(std::string_view text) const { return got.find(text) != std::string::npos; }

    /// From now on it takes nothing at once: writes wait for flush().
    void reads_slowly() noexcept { slow_ = true; }
    void leave() {
        gone_ = true;
        if (const auto call = std::exchange(on_gone_, nullptr)) call();
    }
    /// Leaves as soon as it got `text`.
    void leave_after(std::string text) { leave_after_ = std::move(text); }

private:
    void begin_head(unsigned with_status, std::optional<std::uint64_t> content_length) override {
        status = with_status;
        length = content_length;
    }
    Task<bool> write_pieces(std::span<const std::string_view> pieces, bool last) override {
        co_return take(pieces, last);
    }
    std::optional<bool> write_now(std::span<const std::string_view> pieces) override {
        if (!slow_) return take(pieces, false);
        for (const auto piece : pieces) held_.append(piece);
        return std::nullopt;
    }
    Task<bool> flush() override {
        const std::string held = std::exchange(held_, {});
        const std::string_view piece = held;
        co_return take({&piece, 1}, false);
    }
    void abort() override { cut = true; }
    Task<http::BodyFault> read_body() override { co_return http::BodyFault::none; }  // it came with the head

    bool take(std::span<const std::string_view> pieces, bool last) {
        if (gone_) return false;
        started_ = true;
        head_due_ = false;
        ++writes;
        for (const auto piece : pieces) {
            got.append(piece);
            sent_ += piece.size();
        }
        ended = ended || last;
        if (!leave_after_.empty() && has(leave_after_)) {
            leave_after_.clear();
            leave();
        }
        return true;
    }

    std::string method_, target_;
    std::vector<http::Field> fields_;
    std::string text_, held_, leave_after_;
    bool slow_ = false;
};

}  // namespace spillway::gateway
