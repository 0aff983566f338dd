// `spillway import`: another gateway's configuration as one of this gateway.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "app/suggest.hpp"
#include "app/verbs.hpp"
#include "base/json.hpp"
#include "config/sources.hpp"
#include "migrate/migrate.hpp"

namespace spillway::app {
namespace {

struct ImportOptions {
    std::string file;
    std::string from;
    std::string output;
    bool json = false;
};

int fault(const std::string& file, std::string_view message) {
    fmt::print(stderr, "{}: {}\n", file, message);
    return 2;
}

/// `file:line: key: message`
std::string to_string(const std::string& file, const migrate::Note& note) {
    std::string out = file;
    if (note.line != 0) out += fmt::format(":{}", note.line);
    out += ": ";
    if (!note.key.empty()) out += note.key + ": ";
    return out + note.message + '\n';
}

std::string to_json(const std::string& file, const migrate::Converted& made) {
    JsonWriter w;
    w.open().field("kind", migrate::to_string(made.kind)).key("notes").open_list();
    for (const auto& note : made.notes)
        w.open()
            .field("file", file)
            .field("line", note.line)
            .field("key", note.key)
            .field("message", note.message)
            .close();
    return w.close_list().field("yaml", made.yaml).close().take() + '\n';
}

int import(const ImportOptions& options) {
    const auto file = options.file == "-" ? std::string("/dev/stdin") : options.file;
    const auto text = config::read_whole_file(file);
    if (!text) return fault(options.file, text.error().message);
    const auto sources = config::process_sources();
    const auto kind = options.from.empty() ? std::nullopt : migrate::find_kind(options.from);
    const auto converted = migrate::convert(*text, kind, sources.env);
    if (!converted) return fault(options.file, converted.error().message);
    if (options.json)
        std::fputs(to_json(options.file, *converted).c_str(), stdout);
    else
        for (const auto& note : converted->notes) std::fputs(to_string(options.file, note).c_str(), stderr);
    if (converted->yaml.empty()) return 2;
    const auto whole = fmt::format("# Made by `spillway import` from {}.\n{}",
                                   migrate::title(converted->kind), converted->yaml);
    if (options.output.empty()) {
        if (!options.json) std::fputs(whole.c_str(), stdout);
        return 0;
    }
    std::ofstream out(options.output);
    out << whole;
    out.close();
    return out ? 0 : fault(options.output, "cannot be written");
}

}  // namespace

void add_import(CLI::App& app, Run& run) {
    const auto options = std::make_shared<ImportOptions>();
    auto* verb = app.add_subcommand(
        "import",
        "Turn another gateway's configuration into one of this gateway: LiteLLM, openai-apim-lb, "
        "API Management backends, Bifrost, Portkey");
    verb->add_option("file", options->file, "The other gateway's file; - for standard input")
        ->required()
        ->type_name("FILE");
    verb->add_option("--from", options->from, "What it is, if that is not found out by itself")
        ->check(one_of({"litellm", "apim-policy", "apim-pool", "bifrost", "portkey"}))
        ->type_name("KIND");
    verb->add_option("-o,--output", options->output, "Write there, not to standard output")
        ->type_name("FILE");
    verb->add_flag("--json", options->json, "The result and what is said of it, as JSON");
    verb->footer(
        "What has no equal, and what was assumed, is said line by line on standard error. Keys are "
        "never copied.");
    verb->callback([options, &run] { run = [options] { return import(*options); }; });
}

}  // namespace spillway::app
