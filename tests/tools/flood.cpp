/// Holds many streamed chats open at once and looks at every byte of them.
///
/// Each stream asks again and again until the time is up, then ends its last answer. The emulated model says
/// the same to the same prompt, so the text each prompt should get is asked for once, not streamed; what
/// streams bring is compared with it byte by byte, and their events are checked: well-formed JSON, a
/// finish_reason, [DONE] at the end and nothing behind it. There are several prompts with different texts, so
/// that a mix-up of two streams shows. Prints a JSON report; exits with 0 only if nothing at all failed.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "api/json_reader.hpp"
#include "api/sse.hpp"
#include "base/json.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "config/backend.hpp"
#include "http/client.hpp"

namespace {

using namespace spillway;

struct Options {
    std::string url;
    std::string api_key;
    std::string deployment = "gpt-4o";
    std::size_t streams = 100;
    double seconds = 10;
    std::size_t tokens = 120;
    std::size_t prompts = 32;
    double stall_seconds = 60;
};

struct Report {
    std::size_t completed = 0;
    std::size_t failed = 0;
    std::size_t open = 0;
    std::size_t peak_open = 0;  ///< requests sent and not yet answered to the end, at one time
    std::uint64_t events = 0;
    std::uint64_t bytes_ok = 0;
    std::uint64_t bytes_bad = 0;
    std::vector<double> first_event_ms;
    std::map<std::string, std::size_t> errors;
};

class OneOpen {
public:
    explicit OneOpen(Report& report) : report_(report) {
        report_.peak_open = std::max(report_.peak_open, ++report_.open);
    }
    OneOpen(const OneOpen&) = delete;
    OneOpen& operator=(const OneOpen&) = delete;
    ~OneOpen() { --report_.open; }

private:
    Report& report_;
};

/// What is in one chat completion or chunk of one.
struct Chat {
    std::string content;
    bool finished = false;
    bool error = false;
};

bool read_part(api::JsonReader& reader, Chat& chat) {
    return reader.object([&](const api::JsonString& key) {
        if (key.raw != "content" || reader.peek() != api::JsonKind::string) return reader.skip();
        api::JsonString text;
        std::string buffer;
        if (!reader.string(text)) return false;
        chat.content += text.text(buffer);
        return true;
    });
}

bool read_choice(api::JsonReader& reader, Chat& chat) {
    return reader.object([&](const api::JsonString& key) {
        if (key.raw == "delta" || key.raw == "message") return read_part(reader, chat);
        if (key.raw == "finish_reason" && reader.peek() == api::JsonKind::string) chat.finished = true;
        return reader.skip();
    });
}

/// False if `text` is not JSON as it should be.
bool read_chat(std::string_view text, Chat& chat) {
    api::JsonReader reader(text);
    const bool good = reader.object([&](const api::JsonString& key) {
        if (key.raw == "choices") return reader.array([&] { return read_choice(reader, chat); });
        if (key.raw == "error") chat.error = true;
        return reader.skip();
    });
    return good && reader.at_end();
}

class Flood {
public:
    Flood(Loop& context, Options options, const config::BackendUrl& url)
        : context_(context), options_(std::move(options)), url_(url), origin_(context, origin_options()) {}

    /// False if the texts could not be learned.
    bool run() {
        expected_.resize(options_.prompts);
        for (std::size_t i = 0; i < options_.prompts; ++i) begin(learn(i));
        context_.run();
        if (report_.failed == 0 && !all_differ()) failed("two prompts have the same answer");
        if (report_.failed > 0) return false;
        context_.restart();
        started_ = mono_now();
        end_ = started_ + from_seconds(options_.seconds);
        for (std::size_t i = 0; i < options_.streams; ++i) begin(stream(i));
        context_.run();
        took_ = mono_now() - started_;
        return report_.failed == 0 && report_.bytes_bad == 0;
    }

    [[nodiscard]] std::string report() {
        auto& times = report_.first_event_ms;
        std::sort(times.begin(), times.end());
        const auto at = [&](double share) {
            if (times.empty()) return 0.0;
            return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
        };
        std::string errors;
        for (const auto& [message, count] : report_.errors) {
            errors += errors.empty() ? "" : ", ";
            append_json_string(errors, message);
            errors += fmt::format(": {}", count);
        }
        return fmt::format(
            "{{\"streams\": {}, \"completed\": {}, \"failed\": {}, \"peak_open\": {}, \"seconds\": {:.2f}, "
            "\"events\": {}, \"bytes_ok\": {}, \"bytes_bad\": {}, \"first_event_ms\": {{\"p50\": {:.1f}, "
            "\"p99\": {:.1f}}}, \"errors\": {{{}}}}}\n",
            options_.streams, report_.completed, report_.failed, report_.peak_open, to_seconds(took_),
            report_.events, report_.bytes_ok, report_.bytes_bad, at(0.5), at(0.99), errors);
    }

private:
    [[nodiscard]] http::OriginOptions origin_options() const {
        http::OriginOptions out;
        out.host = url_.host;
        out.port = url_.port;
        out.tls = url_.tls;
        out.max_idle = options_.streams + options_.prompts;
        out.connect_timeout = std::chrono::seconds(20);
        return out;
    }

    /// The last one to end stops the context, which pooled connections would keep running.
    void begin(Task<void> task) {
        ++running_;
        context_.spawn(std::move(task), [this](const std::exception_ptr& failure) {
            if (failure) std::rethrow_exception(failure);
            if (--running_ == 0) context_.stop();
        });
    }

    [[nodiscard]] std::string request(std::size_t prompt, bool streamed) const {
        const std::string body = fmt::format(
            R"({{"stream":{},"messages":[{{"role":"user","content":"Tell me about river number {} [[tokens:{}]]"}}]}})",
            streamed, prompt, options_.tokens);
        return fmt::format(
            "POST {}/openai/deployments/{}/chat/completions?api-version=2024-10-21 HTTP/1.1\r\nHost: {}\r\n"
            "api-key: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
            url_.base_path, options_.deployment, url_.authority(), options_.api_key, body.size(), body);
    }

    [[nodiscard]] Duration stall() const { return from_seconds(options_.stall_seconds); }
    void failed(std::string message) {
        ++report_.failed;
        ++report_.errors[std::move(message)];
    }

    Task<void> learn(std::size_t prompt) {
        auto text = co_await ask_once(prompt);
        if (text)
            expected_[prompt] = std::move(*text);
        else
            failed("asking once: " + text.error().message);
    }

    [[nodiscard]] bool all_differ() const {
        auto sorted = expected_;
        std::sort(sorted.begin(), sorted.end());
        return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
    }

    Task<Result<std::string>> ask_once(std::size_t prompt) {
        auto up = co_await origin_.connect(false);
        if (!up) co_return fail(up.error().message);
        const std::string text = request(prompt, false);
        const std::array<std::string_view, 1> pieces{text};
        const auto sent = co_await up->send(pieces, stall());
        if (!sent) co_return fail(sent.error().message);
        const auto head = co_await up->read_head(stall());
        if (!head) co_return fail(head.error().message);
        const unsigned status = (*head)->status;
        std::string body;
        for (;;) {
            const auto piece = co_await up->read_body(stall());
            if (!piece) co_return fail(piece.error().message);
            if (piece->empty()) break;
            body += *piece;
        }
        up->done();
        Chat chat;
        if (status != 200) co_return fail(fmt::format("status {}: {}", status, body.substr(0, 300)));
        if (!read_chat(body, chat) || chat.content.empty()) co_return fail("no chat completion");
        co_return std::move(chat.content);
    }

    Task<void> stream(std::size_t number) {
        // Streams begin over one second, as a listener's queue is finite.
        Timer timer(context_);
        (void)co_await timer.sleep_for(std::chrono::microseconds(1'000'000 * number / options_.streams));
        const std::size_t prompt = number % expected_.size();
        const std::string text = request(prompt, true);
        do {
            std::string problem = co_await ask(text, expected_[prompt]);
            if (problem.empty()) {
                ++report_.completed;
                continue;
            }
            failed(std::move(problem));
            (void)co_await timer.sleep_for(std::chrono::milliseconds(200));
        } while (mono_now() < end_);
    }

    /// What is wrong with the answer; empty if nothing.
    Task<std::string> ask(const std::string& text, const std::string& expected) {
        const Mono begin = mono_now();
        auto up = co_await origin_.connect(false);
        if (!up) co_return "connect: " + up.error().message;
        const OneOpen open(report_);
        const std::array<std::string_view, 1> pieces{text};
        const auto sent = co_await up->send(pieces, stall());
        if (!sent) co_return "send: " + sent.error().message;
        const auto head = co_await up->read_head(stall());
        if (!head) co_return "head: " + head.error().message;
        if ((*head)->status != 200) co_return fmt::format("status {}", (*head)->status);
        if (!(*head)->fields.get("content-type").starts_with("text/event-stream"))
            co_return std::string("not an event stream");
        Answer answer{expected};
        bool first = true;
        std::string problem;
        for (;;) {
            const auto piece = co_await up->read_body(stall());
            if (!piece) {
                problem = "body: " + piece.error().message;
                break;
            }
            if (piece->empty()) {
                problem = answer.end();
                break;
            }
            if (first) {
                first = false;
                report_.first_event_ms.push_back(to_seconds(mono_now() - begin) * 1000);
            }
            problem = answer.take(*piece);
            if (!problem.empty()) break;
        }
        report_.events += answer.events;
        report_.bytes_ok += answer.good;
        report_.bytes_bad += answer.bad;
        if (problem.empty()) up->done();
        co_return problem;
    }

    /// One streamed answer as it comes in.
    struct Answer {
        explicit Answer(const std::string& text) : expected(text) {}

        std::string take(std::string_view chunk) {
            splitter.feed(chunk);
            api::SseEvent event;
            while (splitter.next(event)) {
                if (!event.has_data) continue;
                ++events;
                if (done) return "an event behind [DONE]";
                if (event.data == "[DONE]") {
                    done = true;
                    continue;
                }
                Chat chat;
                if (!event.event.empty() || !read_chat(event.data, chat))
                    return "an event that is not a chunk";
                if (chat.error) return "an error event";
                finished = finished || chat.finished;
                const std::string_view due = std::string_view(expected).substr(good, chat.content.size());
                if (due != chat.content) {
                    bad += chat.content.size();
                    return "other text than expected";
                }
                good += chat.content.size();
            }
            return splitter.too_large() ? "an endless event" : "";
        }
        [[nodiscard]] std::string end() {
            if (!splitter.pending().empty()) return "cut within an event";
            if (!done) return "no [DONE]";
            if (!finished) return "no finish_reason";
            if (good == expected.size()) return {};
            bad += expected.size() - good;
            return "text is missing";
        }

        const std::string& expected;
        api::SseSplitter splitter;
        std::size_t good = 0;
        std::size_t bad = 0;
        std::uint64_t events = 0;
        bool finished = false;
        bool done = false;
    };

    Loop& context_;
    Options options_;
    config::BackendUrl url_;
    http::Origin origin_;
    std::size_t running_ = 0;
    Report report_;
    std::vector<std::string> expected_;  // by prompt
    Mono started_{};
    Mono end_{};
    Duration took_{};
};

void allow_many_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        Options options;
        CLI::App app{"Holds many streamed chats open at once and looks at every byte", "flood"};
        app.add_option("--url", options.url, "Of the gateway")->required();
        app.add_option("--api-key", options.api_key, "Of a client")->required();
        app.add_option("--deployment", options.deployment, "Which to ask")->capture_default_str();
        app.add_option("--streams", options.streams, "How many at once")->check(CLI::Range(1, 100'000));
        app.add_option("--seconds", options.seconds, "Until no new request is begun")
            ->check(CLI::Range(0.0, 86'400.0));
        app.add_option("--tokens", options.tokens, "Of each answer")->check(CLI::Range(1, 16'000));
        app.add_option("--prompts", options.prompts, "Different texts")->check(CLI::Range(1, 1000));
        app.add_option("--stall", options.stall_seconds, "Seconds without a byte that are a failure");
        CLI11_PARSE(app, argc, argv);
        const auto url = config::parse_backend_url(options.url);
        if (!url) throw std::runtime_error(url.error().message);
        allow_many_files();
        Loop context;
        Flood flood(context, options, *url);
        const bool good = flood.run();
        std::fputs(flood.report().c_str(), stdout);
        return good ? 0 : 1;
    } catch (const std::exception& e) {
        fmt::print(stderr, "flood: {}\n", e.what());
        return 2;
    }
}
