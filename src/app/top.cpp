// `spillway top`: live backends and clients, as the admin plane tells.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "app/local_stack.hpp"
#include "app/suggest.hpp"
#include "app/terminal.hpp"
#include "app/top_screen.hpp"
#include "app/top_view.hpp"
#include "app/verbs.hpp"
#include "base/loop.hpp"
#include "base/readiness.hpp"
#include "base/signals.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "config/backend.hpp"
#include "config/units.hpp"
#include "http/fetch.hpp"

namespace spillway::app {
namespace {

using namespace top;

struct TopOptions {
    std::shared_ptr<stack::Common> stack;
    std::string url;
    std::string token;
    Duration interval = std::chrono::seconds(1);
    bool once = false;
    bool json = false;
    bool insecure = false;
    Order order = Order::usual;
    std::string filter;
};

Look look_of_terminal(const TopOptions& options) {
    Look look;
    look.columns = terminal_columns(STDOUT_FILENO).value_or(look.columns);
    look.colour = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    look.order = options.order;
    look.filter = options.filter;
    return look;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string out;
    for (const auto& line : lines) out += line + '\n';
    return out;
}

http::OriginOptions origin_options(const config::BackendUrl& url, bool insecure) {
    http::OriginOptions out;
    out.host = url.host;
    out.port = url.port;
    out.tls = url.tls;
    out.tls_verify = !insecure;
    return out;
}

class Top {
public:
    Top(TopOptions options, const config::BackendUrl& url)
        : options_(std::move(options)),
          url_(url),
          origin_(loop_, origin_options(url_, options_.insecure)),
          signals_(loop_, {SIGINT, SIGTERM, SIGWINCH}),
          screen_(look_of_terminal(options_)),
          full_(!options_.once && ::isatty(STDOUT_FILENO) == 1) {}

    int run() {
        loop_.spawn(heed_signals());
        loop_.spawn([this]() -> Task<> {
            co_await watch();
            loop_.stop();
        });
        std::optional<KeyboardMode> keys;
        if (full_) {
            if (::isatty(STDIN_FILENO) == 1) keys.emplace(STDIN_FILENO);
            if (keys && keys->set()) loop_.spawn(heed_keys());
            // The other screen, without a cursor: what was on this one is there again afterwards.
            std::fputs("\x1b[?1049h\x1b[?25l", stdout);
        }
        loop_.run();
        if (full_) std::fputs("\x1b[?25h\x1b[?1049l", stdout);
        std::fflush(stdout);
        return status_;
    }

private:
    Task<void> heed_signals() {
        while (co_await signals_.next() == SIGWINCH)
            if (full_) show();
        loop_.stop();
    }

    Task<void> heed_keys() {
        Readiness ready(loop_, STDIN_FILENO);
        while (!screen_.quit()) {
            std::array<char, 256> typed{};
            const auto n = ::read(STDIN_FILENO, typed.data(), typed.size());
            if (n <= 0) {
                co_await ready.wait();
                continue;
            }
            screen_.type({typed.data(), static_cast<std::size_t>(n)});
            show();
        }
        loop_.stop();
    }

    Task<void> watch() {
        Timer timer(loop_);
        for (;;) {
            auto frame = co_await fetch_frame();
            if (options_.once) {
                print_once(frame);
                co_return;
            }
            before_ = frame && now_ ? std::move(now_) : std::nullopt;
            now_.reset();
            if (frame) now_ = std::move(*frame);
            trouble_ = frame ? "" : frame.error().message;
            show();
            (void)co_await timer.sleep_for(options_.interval);
        }
    }

    void print_once(const Result<Frame>& frame) {
        if (frame) {
            const auto text =
                options_.json ? body_ + '\n' : joined(draw(*frame, nullptr, look_of_terminal(options_)));
            std::fputs(text.c_str(), stdout);
        } else {
            fmt::print(stderr, "spillway top: {}\n", frame.error().message);
            status_ = 1;
        }
    }

    void show() {
        const auto title = fmt::format("spillway top  {}  every {}", url_.to_string(),
                                       config::format_duration(options_.interval));
        if (full_) {
            if (const auto size = terminal_size(STDOUT_FILENO)) screen_.resize(size->columns, size->rows);
            std::fputs(screen_.paint(title, lines(screen_.look())).c_str(), stdout);
        } else {
            std::fputs((title + "\n\n" + joined(lines(look_of_terminal(options_)))).c_str(), stdout);
        }
        std::fflush(stdout);
    }

    [[nodiscard]] std::vector<std::string> lines(const Look& look) const {
        if (now_) return draw(*now_, before_ ? &*before_ : nullptr, look);
        return {trouble_.empty() ? "asking ..." : trouble_};
    }

    Task<Result<Frame>> fetch_frame() {
        Frame frame;
        const auto live = co_await get("/api/live");
        if (!live) co_return live.error();
        if (live->status != 200) {
            const std::string_view hint = live->status == 401 ? " (--token)" : "";
            const Error error =
                fail(fmt::format("{} answers {} to /api/live{}", url_.to_string(), live->status, hint));
            co_return error;
        }
        auto backends = read_backends(live->body);
        if (!backends) co_return backends.error();
        frame.backends = std::move(*backends);
        auto clients = read_clients(live->body);
        if (!clients) co_return clients.error();
        frame.clients = std::move(*clients);
        frame.taken = mono_now();
        body_ = live->body;
        co_return frame;
    }

    Task<Result<http::FetchedAnswer>> get(std::string_view path) {
        constexpr std::chrono::seconds patience{5};
        const std::string target = url_.base_path + std::string(path);
        const std::string_view no_body;
        const std::string bearer = "Bearer " + options_.token;
        const std::array<http::Field, 1> fields{{{"authorization", bearer}}};
        const std::span<const http::Field> sent(fields.data(), options_.token.empty() ? 0 : 1);
        auto answer = co_await http::fetch(origin_, "GET", target, sent, no_body, patience);
        if (answer) co_return std::move(*answer);
        const Error error = fail(fmt::format("{}: {}", url_.to_string(), answer.error().message));
        co_return error;
    }

    TopOptions options_;
    config::BackendUrl url_;
    Loop loop_;
    http::Origin origin_;
    Signals signals_;
    Screen screen_;
    std::optional<Frame> now_;
    std::optional<Frame> before_;
    std::string trouble_;
    std::string body_;  ///< as the gateway answered it
    bool full_;
    int status_ = 0;
};

int run_top(const TopOptions& given) {
    TopOptions options = given;
    if (options.url.empty()) {
        const auto local = stack::stored_settings(*options.stack);
        if (!local) {
            fmt::print(stderr, "spillway top: --url is not given, and {}\n", local.error().message);
            return 2;
        }
        options.url = fmt::format("http://127.0.0.1:{}", local->admin_port);
    }
    const auto url = config::parse_backend_url(options.url);
    if (!url) {
        fmt::print(stderr, "spillway top: --url: {}\n", url.error().message);
        return 2;
    }
    return Top(options, *url).run();
}

}  // namespace

void add_top(CLI::App& app, Run& run) {
    CLI::App* verb = app.add_subcommand("top", "Watch backends and clients live");
    auto o = std::make_shared<TopOptions>();
    o->stack = stack::add_common(*verb);
    verb->add_option("--url", o->url, "Of the gateway's admin listener; without it, the local stack's");
    verb->add_option("--token", o->token, "Of the admin listener, if it asks for one")
        ->envname("SPILLWAY_ADMIN_TOKEN");
    verb->add_option_function<std::string>(
            "--interval",
            [o](const std::string& text) {
                const auto value = config::parse_duration(text);
                if (!value || *value < std::chrono::milliseconds(100))
                    throw CLI::ValidationError("--interval", text + " is not a duration of 100ms or more");
                o->interval = *value;
            },
            "Between two looks (default 1s)")
        ->type_name("TIME");
    auto* once = verb->add_flag("--once", o->once, "Print one frame and end");
    verb->add_flag("--json", o->json, "With --once: what the gateway tells, as JSON")->needs(once);
    verb->add_option_function<std::string>(
            "--sort", [o](const std::string& name) { o->order = find_order(name).value_or(Order::usual); },
            "usual (backends by priority, clients by tokens), name, open or refused")
        ->check(one_of({"usual", "name", "open", "refused"}))
        ->type_name("ORDER");
    verb->add_option("--filter", o->filter, "Only what has this in its name")->type_name("TEXT");
    verb->add_flag("--insecure", o->insecure, "Do not verify the listener's certificate");
    verb->callback([o, &run] { run = [o] { return run_top(*o); }; });
}

}  // namespace spillway::app
