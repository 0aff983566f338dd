#pragma once
/// The state of one request at a resource, between call.cpp's functions. Only call.cpp includes this.
/// Thread rule: the resource's thread. Ownership: refers to its Resource and Exchange, which outlive it.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/task.hpp"
#include "base/timer.hpp"
#include "emulator/azure_error.hpp"
#include "emulator/azure_head.hpp"
#include "emulator/completion.hpp"
#include "emulator/pace.hpp"
#include "emulator/request.hpp"
#include "emulator/resource.hpp"
#include "emulator/seal.hpp"
#include "emulator/target.hpp"
#include "emulator/wire.hpp"

namespace spillway::emulator {

class Call {
public:
    Call(Resource& resource, http::Exchange& exchange)
        : resource_(resource),
          x_(exchange),
          counters_(resource.counters_),
          timer_(exchange.loop()),
          rng_(resource.rng_()),
          target_(read_target(exchange.request().target)),
          apim_id_(random_uuid(rng_)),
          began_(mono_now()) {
        ++counters_.requests;
        ++counters_.active;
        x_.on_gone([this] { timer_.cancel(); });
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
        x_.on_gone({});
        --counters_.active;
        if (!ended_) ++counters_.cancelled;
    }

    Task<void> run();

private:
    /// What remains to be done after a decision.
    enum class Next : std::uint8_t { reply, close, hang, embed, generate };

    // Decisions, without waiting. Those that return Next set reply_ if it is Next::reply.
    Next decide();
    Next reply(unsigned status, std::string body);
    Next refuse(ErrorAnswer error) { return reply(error.status, std::move(error.body)); }
    Next fault_status();
    /// What Azure refuses, and a lenient resource lets pass.
    [[nodiscard]] std::optional<ErrorAnswer> strict_fault() const;
    Next list_models();
    Next stored_response();
    Next admit();

    /// Until `when`, or the client leaves: then false.
    Task<bool> sleep_until(Mono when);
    Task<void> hang();
    Task<bool> keep_silent(FaultPhase phase);
    Task<void> send_reply();
    Task<void> embed();
    Task<void> generate();
    Task<void> send_whole(const AnswerWriter& writer);
    Task<void> send_stream(AnswerWriter& writer);
    Task<void> break_stream(AnswerWriter& writer);
    Task<bool> send_piece();
    void write_error(AnswerWriter& writer);
    void write_due(AnswerWriter& writer, Pace& pace, std::size_t& next, std::size_t last);
    [[nodiscard]] std::unique_ptr<AnswerWriter> write_answer();
    [[nodiscard]] AnswerMeta make_meta(bool tool);
    [[nodiscard]] Pace make_pace();
    [[nodiscard]] std::string head(HeadFacts facts);
    [[nodiscard]] bool fault_is(FaultKind kind) const noexcept { return fault_ && fault_->kind == kind; }
    [[nodiscard]] std::uint64_t& counter_of(unsigned status) noexcept;
    /// Prepares the head; no length: chunked.
    void start(std::optional<std::uint64_t> length) { x_.start(status_, head(facts_), length); }
    void end(std::uint64_t& counter) {
        ended_ = true;
        ++counter;
    }

    Resource& resource_;
    http::Exchange& x_;
    ResourceCounters& counters_;
    Timer timer_;
    Rng rng_;
    Target target_;
    std::string apim_id_;
    std::string request_id_;
    Mono began_;
    std::optional<Fault> fault_;
    ModelRequest request_;
    Deployment* deployment_ = nullptr;
    QuotaDecision quota_;
    HeadFacts facts_;
    unsigned status_ = 200;
    std::string body_;
    std::size_t answer_tokens_ = 0;  // of one choice
    std::size_t sent_tokens_ = 0;    // of these, how many were sent
    bool ended_ = false;
};

}  // namespace spillway::emulator
