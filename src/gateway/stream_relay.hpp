#pragma once
/// Carries out what a StreamMachine decides about an event stream. It takes the pieces as the connection
/// reads them: what goes on whole at once wakes no coroutine.
/// Ownership: lives within one Attempt. Thread rule: its worker's thread.
#include "gateway/attempt.hpp"
#include "gateway/stream_machine.hpp"

namespace spillway::gateway {

class StreamRelay final : private http::BodySink {
public:
    StreamRelay(Attempt& attempt, const http::ResponseHead& head);
    Task<AttemptEnd> run(std::string_view begin);

private:
    bool on_data(std::string_view chunk) override;
    void keep_error(routing::Outcome& why);
    void start_if_committed();
    bool pass_on();
    Task<bool> flush();
    Task<AttemptEnd> finish(bool reuse);
    AttemptEnd close(bool reuse);
    [[nodiscard]] Break break_of(const http::NetError& error) const noexcept;
    [[nodiscard]] routing::Outcome outcome() const;
    void watch_for_silence();

    Attempt& attempt_;
    RequestParts& parts_;
    const http::ResponseHead& head_;
    StreamMachine machine_;
    StreamAction action_ = StreamAction::proceed;
    std::optional<bool> sent_;  ///< all of the machine's pieces; nothing: not yet
    bool started_ = false;
    Timeout silence_;  ///< no output for too long: what else comes does not count
    bool silent_ = false;
    std::uint64_t seen_outputs_ = 0;
    unsigned chunks_ = 0;  ///< looked at for the model's name
};

/// In a frame of its own, so that only streams pay for its size. `begin`: what of the body was read before.
Task<AttemptEnd> relay_stream(Attempt& attempt, const http::ResponseHead& head, std::string begin = {});

}  // namespace spillway::gateway
