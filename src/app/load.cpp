// `spillway load`: many chat users against an endpoint, and a report of what they met.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>

#include "app/load_options.hpp"
#include "app/terminal.hpp"
#include "app/verbs.hpp"
#include "base/descriptors.hpp"
#include "base/loop.hpp"
#include "base/signals.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "load/progress.hpp"
#include "load/report.hpp"
#include "load/runner.hpp"
#include "telemetry/text.hpp"

namespace spillway::app {
namespace {

constexpr std::size_t usual_columns = 80;
constexpr std::size_t usual_rows = 24;

/// Watches a Runner from the main thread: draws its progress, hands it the user's signals.
class Watch {
public:
    Watch(load::Runner& runner, const load::Plan& plan, bool quiet)
        : runner_(runner),
          quiet_(quiet),
          terminal_(::isatty(STDERR_FILENO) == 1),
          progress_(plan.curve.length(), plan.model == load::Model::closed,
                    terminal_columns(STDERR_FILENO).value_or(usual_columns)),
          signals_(loop_, {SIGINT, SIGTERM}) {}

    void run() {
        loop_.spawn(signals());
        loop_.spawn(draw());
        loop_.run();
    }

private:
    Task<void> signals() {
        for (int count = 0;; ++count) {
            (void)co_await signals_.next();
            if (count == 0)
                runner_.stop();
            else
                runner_.abort();
        }
    }

    Task<void> draw() {
        constexpr std::chrono::milliseconds look{50};
        const std::chrono::seconds interval(terminal_ ? 1 : 5);
        Timer timer(loop_);
        Mono last = mono_now();
        while (runner_.running()) {
            (void)co_await timer.sleep_for(look);
            const Mono now = mono_now();
            if (now - last < interval || quiet_) continue;
            progress_.add(runner_.fetch_pulse(), runner_.elapsed(), now - last);
            last = now;
            show();
        }
        loop_.stop();
    }

    void show() {
        std::string text;
        if (terminal_) {
            const auto size = terminal_size(STDERR_FILENO).value_or(TerminalSize{usual_columns, usual_rows});
            progress_.resize(size.columns, size.rows);
            if (!drawn_.empty()) text = fmt::format("\x1b[{}F\x1b[J", progress_.rows_of(drawn_));
            drawn_ = progress_.block();
            text += drawn_;
        } else {
            text = progress_.line();
        }
        std::fputs(text.c_str(), stderr);
        std::fflush(stderr);
    }

    load::Runner& runner_;
    bool quiet_;
    bool terminal_;
    load::Progress progress_;
    std::string drawn_;  ///< what is on the screen
    Loop loop_;
    Signals signals_;
};

constexpr std::string_view to_stdout = "-";

bool write_file(const std::string& path, const std::string& content) {
    if (path.empty()) return true;
    if (path == to_stdout) return std::fputs(content.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << content;
    out.close();
    if (!out) fmt::print(stderr, "spillway load: cannot write {}\n", path);
    return !out.fail();
}

/// Better told before a run than after it.
bool can_write(const std::string& path) {
    if (path.empty() || path == to_stdout) return true;
    const std::ofstream out(path, std::ios::binary | std::ios::app);
    if (!out) fmt::print(stderr, "spillway load: cannot write {}\n", path);
    return !out.fail();
}

int run_load(const LoadOptions& options) {
    auto prepared = prepare_load(options);
    if (!prepared) {
        fmt::print(stderr, "spillway load: {}\n", prepared.error().message);
        return 2;
    }
    const bool writable =
        can_write(options.html_file) && can_write(options.json_file) && can_write(options.csv_file);
    if (!writable) return 2;
    raise_descriptor_limit();
    std::string started;
    telemetry::Rfc3339().append(started, wall_now());
    load::Runner runner(prepared->plan);
    Watch watch(runner, prepared->plan, options.quiet);  // before other threads: signals are its own
    runner.start();
    watch.run();
    load::Record record = runner.finish();
    record.name = prepared->name;
    record.started = started;
    record.settings = prepared->settings;
    record.allow_failures = options.no_fail;
    for (const load::Threshold& t : prepared->thresholds) record.thresholds.push_back(load::judge(t, record));
    if (options.json_file != to_stdout) std::fputs(load::text_report(record).c_str(), stdout);
    bool good = write_file(options.html_file, options.html_file.empty() ? "" : load::html_report(record));
    good = write_file(options.json_file, options.json_file.empty() ? "" : load::to_json(record)) && good;
    good = write_file(options.csv_file, options.csv_file.empty() ? "" : load::to_csv(record)) && good;
    if (record.ok == 0) fmt::print(stderr, "spillway load: no request was answered as it should be\n");
    constexpr Duration late = std::chrono::milliseconds(50);
    if (record.lag.quantile(0.99) > late)
        fmt::print(stderr,
                   "spillway load: it sent 1 % of its requests over 50 ms late: try more --threads\n");
    if (record.error_rate() > 0.5 && record.ok > 0 && !options.no_fail)
        fmt::print(stderr, "spillway load: most requests failed (--no-fail: that is what is tested)\n");
    return good && record.verdict() != load::Verdict::failed ? 0 : 1;
}

struct CompareOptions {
    std::string before;
    std::string after;
    std::string out;
    bool json = false;
};

int compare(const CompareOptions& o) {
    const auto read = [](const std::string& path) -> Result<load::Record> {
        const auto text = config::read_whole_file(path);
        if (!text) return fail(path + ": " + text.error().message);
        auto record = load::parse_record(*text);
        if (!record) return fail(path + ": " + record.error().message);
        return record;
    };
    const auto before = read(o.before);
    const auto after = read(o.after);
    for (const auto* one : {&before, &after})
        if (!*one) {
            fmt::print(stderr, "spillway load compare: {}\n", one->error().message);
            return 2;
        }
    if (o.json) fmt::print("{}\n", load::json_comparison(*before, *after));
    return write_file(o.out, o.out.empty() ? "" : load::html_comparison(*before, *after)) ? 0 : 1;
}

}  // namespace

void add_load(CLI::App& app, Run& run) {
    CLI::App* verb = app.add_subcommand("load", "Put the load of many chat users on an endpoint, and report");
    auto options = std::make_shared<LoadOptions>();
    options->stack = stack::add_common(*verb);
    add_load_options(*verb, *options);

    CLI::App* beside = verb->add_subcommand("compare", "Report on two runs beside each other");
    auto files = std::make_shared<CompareOptions>();
    beside->fallthrough(false);
    beside->add_option("before", files->before, "JSON of the run to compare with")->required();
    beside->add_option("after", files->after, "JSON of the other")->required();
    auto* shown = beside->add_option_group("report");
    shown->add_option("--out", files->out, "The HTML report")->type_name("FILE");
    shown->add_flag("--json", files->json, "The figures of both, and which differences are noise, as JSON");
    shown->require_option(1, 2);

    verb->callback([options, files, beside, &run] {
        if (beside->parsed())
            run = [files] { return compare(*files); };
        else
            run = [options] { return run_load(*options); };
    });
}

}  // namespace spillway::app
