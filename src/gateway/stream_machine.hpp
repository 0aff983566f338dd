#pragma once
/// Handles a backend's event stream without IO: it is given chunks, the end or a break, and returns what to
/// send to the client and what to do next.
///
/// Chunks pass unchanged, but the stream is committed late: its preamble waits for the first real output, so
/// that an error event or a cut before that can be retried elsewhere. After it, a failure ends with an error
/// event, never silently. The usage chunk is removed if the client did not request it. A stream is complete
/// after its end mark (`[DONE]`, the Responses API's terminal event) or each answer's finish_reason, if the
/// transfer also ended well. Events of any size pass: those too large to be understood are passed on as they
/// arrive. Streams of operations with unknown events pass unchanged.
///
///     StreamAction next = machine.feed(chunk);      // … machine.end(), machine.broke(why)
///     // start the answer once machine.committed(); send machine.pieces(); machine.sent(); then do `next`
///
/// Ownership: pieces view the chunk last fed and the machine. Thread rule: one thread. Errors: none.
#include <boost/container/small_vector.hpp>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/dialect.hpp"
#include "api/error.hpp"
#include "api/operation.hpp"
#include "api/sse.hpp"
#include "api/stream_event.hpp"
#include "gateway/ending.hpp"
#include "gateway/session_affinity.hpp"
#include "routing/blame.hpp"
#include "routing/router.hpp"

namespace spillway::gateway {

enum class StreamAction : std::uint8_t {
    proceed,  ///< send what there is and read more
    retry,    ///< nothing was sent: ask another backend
    finish,   ///< send what there is as the end of the answer
};

/// Why a backend's body did not reach its end.
enum class Break : std::uint8_t { cut, silence, late, client_left, shutdown };

struct StreamRules {
    api::StreamEvents events = api::StreamEvents::chat;
    routing::OperationFacts facts{};
    bool late_commit = true;
    bool pass_keep_alives = false;  ///< comments before the commit are given by said_alive(), not held
    bool hide_usage = false;        ///< the client did not request the usage chunk
    std::uint32_t answers = 1;      ///< asked for with `n`: a break before all are finished is one
    std::size_t max_preamble_bytes = std::size_t{256} * 1024;
    std::size_t max_event_bytes = api::SseSplitter::default_max_event;  ///< larger ones are not understood
    bool sealed_reasoning = false;                                      ///< learn encrypted reasoning
};

/// The stream's result.
struct StreamResult {
    std::uint64_t output_events = 0;
    routing::Verdict verdict;
    Ending ending = Ending::ok;
    std::optional<api::Usage> usage;
    bool refused_options = false;  ///< a retry is wanted because stream_options are not taken
};

class StreamMachine {
public:
    /// `learned` records encrypted reasoning from `backend`. All arguments but the rules must outlive it.
    StreamMachine(const StreamRules& rules, const api::Dialect& dialect, api::EventClassifier& classifier,
                  SessionAffinity& learned, routing::BackendIndex backend);

    [[nodiscard]] StreamAction feed(std::string_view chunk);
    /// The body has ended.
    [[nodiscard]] StreamAction end();
    [[nodiscard]] StreamAction broke(Break why);
    /// The client has left.
    void client_left() noexcept;

    [[nodiscard]] bool committed() const noexcept { return committed_; }
    /// False: events pass unchanged, and nothing is counted.
    [[nodiscard]] bool understands() const noexcept {
        return rules_.events != api::StreamEvents::opaque && !large_;
    }
    /// The preamble held back until the commit.
    [[nodiscard]] std::string_view preamble() const noexcept { return held_; }
    [[nodiscard]] std::span<const std::string_view> pieces() const noexcept {
        return {pieces_.data(), pieces_.size()};
    }
    void sent() noexcept {
        pieces_.clear();
        owned_.clear();
    }
    [[nodiscard]] const StreamResult& result() const noexcept { return result_; }
    /// Before the commit: the comments by which the backend has said since the last call that it is at work;
    /// they are not held. Nothing: it said nothing.
    [[nodiscard]] std::optional<std::string> said_alive() noexcept {
        return std::exchange(alive_, std::nullopt);
    }
    /// The error event that led to a retry, as an error object; empty: none.
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

private:
    StreamAction on_event(const api::SseEvent& event, std::string_view chunk);
    StreamAction end_of_line(std::string_view last);
    StreamAction on_error(const api::EventInfo& info);
    StreamAction on_bare_error(const api::ApiError& error);
    StreamAction fail(std::string_view message, std::string_view code, Ending ending, routing::Came came);
    std::string_view pass_large(std::string_view chunk);
    void begin_large(std::string_view event);
    void note_tail(std::string_view piece);
    std::string_view own(std::string_view text);
    void pass(std::string_view raw, std::string_view chunk);
    void commit();

    // What every chunk uses comes first: between two events of thousands of streams it leaves the cache.
    const StreamRules rules_;
    bool committed_ = false;
    bool complete_ = false;
    bool large_ = false;         // within a large event that passes unchanged
    std::uint8_t newlines_ = 0;  // at the end of its part that has passed
    std::uint32_t finished_ = 0;
    std::int64_t sequence_ = -1;
    boost::container::small_vector<std::string_view, 2> pieces_;
    std::list<std::string> owned_;  // other text to send that is in no chunk
    api::SseSplitter splitter_;
    StreamResult result_;
    std::optional<std::string> alive_;

    const api::Dialect& dialect_;
    api::EventClassifier& classifier_;
    SessionAffinity& learned_;
    const routing::BackendIndex backend_;
    std::string carry_;  // an event that began in an earlier chunk
    std::string held_;   // preamble, until the commit
    std::string error_;
    std::string tail_;  // of an event that passes as it comes: there is the usage
};

}  // namespace spillway::gateway
