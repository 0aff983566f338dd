#pragma once
/// Carries out a StreamMachine's decisions on an event stream. It gets the pieces as the connection reads
/// them: what can be passed on at once wakes no coroutine. Ownership: lives within one Attempt. Thread rule:
/// its worker's thread. Errors: AttemptEnd.
#include "gateway/attempt.hpp"
#include "gateway/stream_machine.hpp"

namespace spillway::gateway {

class StreamRelay final : private http::BodySink {
public:
    StreamRelay(Attempt& attempt, const http::ResponseHead& head);
    Task<AttemptEnd> run(std::string_view begin);

private:
    void on_readable() noexcept override;
    bool on_data(std::string_view chunk) override;
    void keep_error(routing::Outcome& why);
    void start_if_committed();
    void learn_made();
    bool pass_on();
    Task<bool> flush();
    Task<AttemptEnd> finish(bool reuse);
    AttemptEnd close(bool reuse);
    [[nodiscard]] Break break_of(const http::NetError& error) const noexcept;
    [[nodiscard]] routing::Outcome outcome() const;
    void watch_for_silence();

    // What every chunk uses comes first, up to silence_: on_readable() asks for it.
    Attempt& attempt_;
    RequestParts& parts_;
    Downstream& downstream_;
    TimerWheel& wheel_;
    const std::span<const std::byte> writing_;
    const Duration stall_;
    std::uint64_t seen_outputs_ = 0;
    unsigned chunks_ = 0;       ///< searched for the model's name
    std::optional<bool> sent_;  ///< of all the machine's pieces; nullopt: not yet
    StreamAction action_ = StreamAction::proceed;
    bool started_ = false;
    bool silent_ = false;
    bool wants_id_;  ///< of what this answer makes, which is not known yet
    StreamMachine machine_;
    Timeout silence_;  ///< no output for too long; other events do not count
    const http::ResponseHead& head_;
    std::string beginning_;  ///< of the body, until its id is known
};

/// A separate frame, so that only streams pay for its size. `begin`: the part of the body read before.
Task<AttemptEnd> relay_stream(Attempt& attempt, const http::ResponseHead& head, std::string begin = {});

}  // namespace spillway::gateway
