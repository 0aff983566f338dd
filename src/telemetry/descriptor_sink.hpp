#pragma once
/// Writes the process log to a descriptor whose reader may stop reading, without ever blocking the caller:
/// what is not accepted at once is kept, up to a bound, and retried with the next line and at each flush();
/// beyond the bound whole lines are dropped and counted, and the count is logged once the reader continues.
///
/// Ownership: the caller owns the descriptor, which outlives this. Thread rule: any (spdlog's base_sink
/// locks). Errors: none; what cannot be written is lost.
#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace spillway::telemetry {

class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    static constexpr std::size_t kMostKept = std::size_t{64} * 1024;

    explicit DescriptorSink(int fd) : fd_(fd) {}
    /// Waits up to half a second for a reader of what is kept.
    ~DescriptorSink() override;
    DescriptorSink(const DescriptorSink&) = delete;
    DescriptorSink& operator=(const DescriptorSink&) = delete;

protected:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override;

private:
    /// How much of `text` was accepted at once, or within `patience_ms` for each piece.
    [[nodiscard]] std::size_t write_some(std::string_view text, int patience_ms) const noexcept;
    bool write_kept(int patience_ms);

    const int fd_;
    std::string kept_;
    std::uint64_t dropped_ = 0;  ///< lines, since the last report
};

}  // namespace spillway::telemetry
