#include "app/backend_probe.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "app/blocking_client.hpp"
#include "base/json.hpp"

namespace spillway::app {
namespace {

using Result = ProbeStep::Result;
constexpr std::size_t kMostModels = 10;
constexpr int kSoonDays = 14;

ProbeStep certificate_step(const BlockingClient& client) {
    const auto end = client.certificate_end();
    if (!end) return {"certificate", Result::doubtful, end.error().message};
    const auto days = std::chrono::floor<std::chrono::days>(*end - wall_now()).count();
    return {"certificate", days < kSoonDays ? Result::doubtful : Result::good,
            days < 0 ? "has expired" : fmt::format("{} days left", days)};
}

/// `api-key: …`, as the gateway sends it.
std::string credential_line(const config::BackendConfig& backend) {
    if (backend.api_key.empty()) return {};
    const auto* name = backend.key_style == config::KeyStyle::bearer ? "Authorization: Bearer" : "api-key:";
    return fmt::format("{} {}\r\n", name, backend.api_key.reveal());
}

ProbeStep credential_step(const config::BackendConfig& backend, int status) {
    if (status == 407) return {"proxy", Result::failed, "it asks for a user and password (407)"};
    if (status == 401 || status == 403)
        return {"credential", Result::failed,
                backend.api_key.empty() ? fmt::format("none is configured, and one is needed ({})", status)
                                        : fmt::format("refused ({})", status)};
    if (status >= 500) return {"credential", Result::doubtful, fmt::format("not known: answered {}", status)};
    return {"credential", Result::good, backend.api_key.empty() ? "none is needed" : "accepted"};
}

ProbeStep models_step(const BlockingAnswer& answer) {
    if (answer.status != 200)
        return {"models", Result::doubtful, fmt::format("the list was answered with {}", answer.status)};
    std::vector<std::string> names;
    try {
        for (const auto& model : YAML::Load(answer.body)["data"])  // JSON is YAML
            names.push_back(model["id"].as<std::string>());
    } catch (const YAML::Exception&) {
        return {"models", Result::doubtful, "the list is not as OpenAI and Azure give it"};
    }
    std::string text = fmt::format("{}", names.size());
    for (std::size_t i = 0; i < names.size() && i < kMostModels; ++i) {
        const bool visible = std::all_of(names[i].begin(), names[i].end(), [](char c) { return c > ' '; });
        text += (i == 0 ? ": " : ", ") + (visible ? names[i].substr(0, 64) : std::string("?"));
    }
    return {"models", Result::good, text + (names.size() > kMostModels ? ", …" : "")};
}

}  // namespace

bool ProbeReport::failed() const noexcept {
    return std::any_of(steps.begin(), steps.end(), [](const auto& s) { return s.result == Result::failed; });
}

ProbeReport probe_backend(const config::BackendConfig& backend) {
    ProbeReport report{backend.name, backend.url.to_string(), {}};
    BlockingClient client(backend);
    const auto done = [&](const char* name, const auto& result) {
        report.steps.push_back(
            {name, result ? Result::good : Result::failed, result ? *result : result.error().message});
        return bool(result);
    };
    if (!done("name", client.look_up()) || !done("connect", client.connect())) return report;
    if (backend.proxy && backend.url.tls) {
        if (!done("proxy", client.open_tunnel())) return report;
    } else if (backend.proxy) {
        report.steps.push_back({"proxy", Result::good, backend.proxy->to_string()});
    }
    if (backend.url.tls) {
        if (!done("tls", client.handshake())) return report;
        report.steps.push_back(certificate_step(client));
    }
    const auto answer = client.get(config::models_target(backend), credential_line(backend));
    if (!answer) {
        report.steps.push_back({"credential", Result::failed, answer.error().message});
        return report;
    }
    report.steps.push_back(credential_step(backend, answer->status));
    if (!report.failed()) report.steps.push_back(models_step(*answer));
    return report;
}

std::string to_string(const ProbeReport& report) {
    std::string out = fmt::format("{}: {}\n", report.backend, report.url);
    for (const auto& step : report.steps) {
        const auto* mark = step.result == Result::good       ? "ok"
                           : step.result == Result::doubtful ? "warn"
                                                             : "FAILED";
        out += fmt::format("  {:<6} {:<11} {}\n", mark, step.name, step.detail);
    }
    return out;
}

std::string to_json(const std::vector<ProbeReport>& reports) {
    std::string out = "{\"backends\":[";
    const auto text = [&](std::string_view name, std::string_view value) {
        out += fmt::format("\"{}\":", name);
        append_json_string(out, value);
    };
    for (const auto& report : reports) {
        if (&report != &reports.front()) out += ',';
        out += '{';
        text("name", report.backend);
        out += ',';
        text("url", report.url);
        out += fmt::format(",\"ok\":{},\"steps\":[", !report.failed());
        for (const auto& step : report.steps) {
            if (&step != &report.steps.front()) out += ',';
            out += '{';
            text("name", step.name);
            out += ',';
            text("result", step.result == Result::good       ? "ok"
                           : step.result == Result::doubtful ? "warning"
                                                             : "failed");
            out += ',';
            text("detail", step.detail);
            out += '}';
        }
        out += "]}";
    }
    return out + "]}\n";
}

}  // namespace spillway::app
