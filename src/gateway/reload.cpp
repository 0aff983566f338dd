#include "gateway/reload.hpp"

#include "base/json.hpp"

namespace spillway::gateway {
namespace {

void append_texts(std::string& out, std::string_view name, const std::vector<std::string>& texts) {
    out += ",\"";
    out += name;
    out += "\":[";
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i != 0) out += ',';
        append_json_string(out, texts[i]);
    }
    out += ']';
}

std::vector<std::string> lines(const std::vector<config::Difference>& differences) {
    std::vector<std::string> out;
    out.reserve(differences.size());
    for (const auto& difference : differences) out.push_back(difference.to_string());
    return out;
}

}  // namespace

std::string reload_json(const ReloadReport& report) {
    std::string out = report.failure.empty() ? R"({"reloaded":true)" : R"({"reloaded":false,"reason":)";
    if (!report.failure.empty()) append_json_string(out, report.failure);
    append_texts(out, "changed", lines(report.done.changed));
    append_texts(out, "needs_restart", lines(report.done.needs_restart));
    append_texts(out, "problems", report.problems);
    return out + "}\n";
}

}  // namespace spillway::gateway
