#include "chat/turns.hpp"

#include <algorithm>

#include "base/event.hpp"
#include "base/timer.hpp"

namespace spillway::chat {
namespace {
constexpr Duration save_every = std::chrono::milliseconds(500);
}  // namespace

/// A turn with all that it emitted, and who waits for more.
struct Turns::Running {
    Running(Loop& loop, Model& model, StoreThread& store, std::string session, Conversation conversation)
        : saver(loop),
          turn(model, store, std::move(session), std::move(conversation), [this](std::string line) {
              lines.push_back(std::move(line) + '\n');
              wake();
          }) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() = default;

    void wake() {
        for (Event* reader : readers) reader->set_later();
    }

    std::vector<std::string> lines;
    std::vector<Event*> readers;  // each in its request's frame
    bool ended = false;
    Timer saver;  // rings for what came to be saved
    Event saved;  // the last time is over
    Turn turn;
};

Turns::~Turns() = default;

std::shared_ptr<Turns::Running> Turns::find(std::string_view session, std::string_view conversation) const {
    const auto at = turns_.find(Key(session, conversation));
    return at == turns_.end() ? nullptr : at->second;
}

bool Turns::running(std::string_view session, std::string_view conversation) const {
    const auto one = find(session, conversation);
    return one && !one->turn.answered();
}

Task<Result<void>> Turns::begin(std::string session, Conversation conversation, TurnRequest request) {
    const Key key(session, conversation.id);
    if (const auto before = find(key.first, key.second)) {
        if (!before->turn.answered()) co_return fail(std::string(turn_running_text));
        before->turn.stop();
        turns_.erase(key);
    }
    const auto same = [&](const auto& entry) { return entry.first.first == session; };
    if (static_cast<std::size_t>(std::ranges::count_if(turns_, same)) >= most_of_a_session)
        co_return fail(std::string(too_many_turns_text));
    auto one = std::make_shared<Running>(loop_, model_, store_, std::move(session), std::move(conversation));
    turns_.emplace(key, one);  // before anything is awaited: there is one turn at a time
    const Result<void> ready = co_await one->turn.prepare(std::move(request));
    if (!ready) {
        if (find(key.first, key.second) == one) turns_.erase(key);
        co_return ready;
    }
    loop_.spawn(run(std::move(one), key));
    co_return Result<void>();
}

Task<void> Turns::run(std::shared_ptr<Running> one, Key key) {
    loop_.spawn(save_parts(one));
    co_await one->turn.run();
    one->ended = true;
    one->wake();
    one->saver.cancel();
    while (!one->saved.is_set()) co_await one->saved.wait();
    if (find(key.first, key.second) == one) turns_.erase(key);
}

/// By the clock, not by what comes: a model may fall silent in the middle of an answer.
Task<void> Turns::save_parts(std::shared_ptr<Running> one) {
    while (!one->ended && co_await one->saver.sleep_for(save_every)) co_await one->turn.save_part();
    one->saved.set_later();
}

Task<bool> Turns::follow(http::Exchange& exchange, std::string_view session, std::string_view conversation,
                         std::size_t after) {
    const auto one = find(session, conversation);
    if (!one) co_return false;
    exchange.start(200,
                   "content-type: application/x-ndjson\r\ncache-control: no-store\r\n"
                   "x-content-type-options: nosniff\r\nx-accel-buffering: no\r\n",
                   std::nullopt);
    Event news;
    one->readers.push_back(&news);
    exchange.on_gone([&news] { news.set_later(); });
    bool there = true;
    for (std::size_t next = after; there && !exchange.client_gone();) {
        if (next < one->lines.size()) {
            std::string batch;
            while (next < one->lines.size()) batch += one->lines[next++];
            there = co_await exchange.write(batch);
        } else if (one->ended) {
            break;
        } else {
            news.reset();
            while (!news.is_set()) co_await news.wait();
        }
    }
    exchange.on_gone({});
    std::erase(one->readers, &news);
    if (there) co_await exchange.finish();
    co_return true;
}

bool Turns::stop(std::string_view session, std::string_view conversation) {
    const auto one = find(session, conversation);
    if (one) one->turn.stop();
    return one != nullptr;
}

void Turns::close() {
    for (const auto& [key, one] : turns_) one->turn.stop();
}

}  // namespace spillway::chat
