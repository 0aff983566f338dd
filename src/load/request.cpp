// One request of a Worker: sent, read, timed.
#include <fmt/format.h>

#include <array>

#include "base/strings.hpp"
#include "base/task.hpp"
#include "load/worker.hpp"

namespace spillway::load {

struct Worker::Flight {
    Flight(Worker& owner, Duration due_at) : worker(owner) {
        sample.due = due_at;
        sample.sent = worker.now();
        worker.flights_.insert(this);
        worker.statistics_.begun(due_at);
        worker.statistics_.in_flight(sample.sent, worker.flights_.size());
        const std::lock_guard lock(worker.pulse_mutex_);
        ++worker.pulse_.step.due;
        worker.pulse_.open = worker.flights_.size();
    }
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;
    ~Flight() {
        worker.flights_.erase(this);
        const std::lock_guard lock(worker.pulse_mutex_);
        worker.pulse_.open = worker.flights_.size();
    }

    Worker& worker;
    Sample sample;
    std::string text;  // the answer, for the history
    bool streamed = false;
    http::ConnectCancel connecting;
    http::Upstream* upstream = nullptr;
};

/// Lets a Flight be cancelled while it has a connection.
class Worker::Attached {
public:
    Attached(Flight& flight, http::Upstream& upstream) noexcept : flight_(flight) {
        flight_.upstream = &upstream;
    }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;
    ~Attached() { flight_.upstream = nullptr; }

private:
    Flight& flight_;
};

namespace {

using Kind = http::NetError::Kind;

std::string problem_of(const http::NetError& error) {
    switch (error.kind) {
        case Kind::resolve:
            return "name not resolved";
        case Kind::connect:
            return "not connected";
        case Kind::tls:
            return "TLS: " + error.message;
        case Kind::proxy:
            return error.message;
        case Kind::timeout:
            return "time-out";
        case Kind::closed:
            return "closed by the peer";
        case Kind::protocol:
            return "not HTTP: " + error.message;
        case Kind::cancelled:
            return "unfinished at the end";
        case Kind::local:
            return "this machine: " + error.message;
    }
    return error.message;
}

}  // namespace

void Worker::cancel_flights() {
    for (Flight* flight : flights_) {
        flight->connecting.cancel();
        if (flight->upstream) flight->upstream->cancel();
    }
}

Task<bool> Worker::ask(Conversation& conversation, Duration due) {
    Flight flight(*this, due);
    conversation.ask();
    flight.streamed = flight.sample.streamed = conversation.streamed();
    if (flights_.size() > plan_.max_in_flight) {
        flight.sample.problem = "not sent: too many in flight";
    } else {
        const RequestParts parts = form_.parts(conversation);
        bool again = co_await attempt(flight, conversation, parts, false);
        if (again) again = co_await attempt(flight, conversation, parts, true);
    }
    flight.sample.end = now();
    record(flight.sample);
    if (flight.sample.ok())
        conversation.answered(flight.text);
    else
        conversation.forgotten();
    co_return flight.sample.status != 0;
}

/// True if the pooled connection was stale, which a fresh one would not be.
Task<bool> Worker::attempt(Flight& flight, const Conversation& conversation, const RequestParts& parts,
                           bool fresh) {
    Sample& sample = flight.sample;
    sample.problem.clear();
    auto up = co_await origin_.connect(fresh, flight.connecting);
    if (!up) {
        sample.problem = problem_of(up.error());
        co_return false;
    }
    const Attached attached(flight, *up);
    const bool reused = up->reused();
    const std::array<std::string_view, 3> pieces{parts.head, conversation.messages(), parts.tail};
    const auto sent = co_await up->send(pieces, plan_.timeout);
    if (!sent) {
        sample.problem = problem_of(sent.error());
        const bool stale = reused && sent.error().kind == Kind::closed;
        co_return stale;
    }
    const auto head = co_await up->read_head(plan_.timeout);
    if (!head) {
        sample.problem = problem_of(head.error());
        const bool stale = reused && head.error().kind == Kind::closed;
        co_return stale;
    }
    sample.status = (*head)->status;
    sample.backend = (*head)->fields.get("x-spillway-backend");
    sample.attempts = parse_int<unsigned>((*head)->fields.get("x-spillway-attempts")).value_or(0);
    const bool events = (*head)->fields.get("content-type").starts_with("text/event-stream");
    if (sample.status == 200 && flight.streamed) {
        if (events)
            co_await read_stream(flight, *up);
        else
            sample.problem = "not an event stream";
    } else {
        co_await read_whole(flight, *up);
    }
    co_return false;
}

Task<void> Worker::read_stream(Flight& flight, http::Upstream& upstream) {
    Sample& sample = flight.sample;
    StreamReader reader;
    Duration last{};
    for (;;) {
        const auto piece = co_await upstream.read_body(plan_.timeout);
        if (!piece) {
            sample.problem = problem_of(piece.error());
            break;
        }
        if (piece->empty()) {
            reader.end();
            sample.problem = reader.problem();
            upstream.done();
            break;
        }
        const std::size_t outputs = reader.feed(*piece);
        if (outputs == 0) continue;
        const Duration at = now();
        if (sample.first_token == Duration{})
            sample.first_token = at;
        else
            record_gap(sample.due, at - last);
        // Events that came together were seen together.
        for (std::size_t i = 1; i < outputs; ++i) record_gap(sample.due, {});
        last = at;
    }
    sample.usage = reader.usage();
    sample.outputs = reader.outputs();
    flight.text = reader.text();
}

Task<void> Worker::read_whole(Flight& flight, http::Upstream& upstream) {
    constexpr std::size_t most = std::size_t{16} << 20U;
    Sample& sample = flight.sample;
    std::string body;
    for (;;) {
        const auto piece = co_await upstream.read_body(plan_.timeout);
        if (!piece) {
            sample.problem = problem_of(piece.error());
            co_return;
        }
        if (piece->empty()) break;
        if (body.size() + piece->size() > most) {
            sample.problem = "an answer over 16 MiB";
            co_return;
        }
        body += *piece;
    }
    upstream.done();
    ChatPart part;
    const bool good = read_chat(body, part);
    if (sample.status != 200) {
        sample.problem = fmt::format("status {}", sample.status);
        const bool tells = good && !part.error.empty() && part.error != fmt::format("{}", sample.status);
        if (tells) sample.problem += ": " + part.error.substr(0, 80);
        co_return;
    }
    if (!good || !part.output) {
        sample.problem = "no chat completion";
        co_return;
    }
    sample.usage = part.usage;
    sample.outputs = 1;
    flight.text = std::move(part.content);
}

}  // namespace spillway::load
