#include "app/stack_services.hpp"

#include <fmt/format.h>

#include "base/hex.hpp"
#include "identity/client_keys.hpp"

namespace spillway::app::stack {
namespace {

/// A YAML double-quoted scalar (YAML 1.2.2, 7.3.1).
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    out.push_back('"');
    return out;
}

std::string grouped(std::uint64_t number) {
    std::string out = std::to_string(number);
    for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, ",");
    return out;
}

std::string emulator_config(const Settings& s, const StackContext& context) {
    std::string out = fmt::format(
        "# Written by spillway up; use spillway env set.\n"
        "host: 127.0.0.1\n"
        "admin_port: {}\n"
        "base_port: {}\n"
        "capacity: {}\n"
        "api_key: {}\n"
        "resources:\n",
        s.emulator_admin_port, s.emulator_base_port, s.capacity, quoted(context.resource_key));
    for (std::uint16_t i = 0; i < resource_count; ++i) out += fmt::format("  - name: aoai-{}\n", i + 1);
    return out;
}

std::string gateway_config(const Settings& s, const StackContext& context) {
    std::string out = fmt::format(
        "# Written by spillway up; use spillway env set.\n"
        "server:\n"
        "  listen: 127.0.0.1:{}\n"
        "admin:\n"
        "  listen: 127.0.0.1:{}\n"
        "log:\n"
        "  access: {}\n"
        "clients:\n"
        "  - name: local\n"
        "    key_sha256: {}\n"
        "ledger:\n"
        "  path: {}\n"
        "store:\n"
        "  path: {}\n"
        "prices:\n"
        "  gpt-4o: {{prompt: 2.5, cached: 1.25, completion: 10}}\n"
        "backends:\n",
        s.port, s.admin_port, quoted(context.file("access.jsonl")), sha256_hex(s.api_key.reveal()),
        quoted(context.file(ledger_name)), quoted(context.file(store_name)));
    for (std::uint16_t i = 0; i < resource_count; ++i)
        out += fmt::format(
            "  - name: aoai-{}\n"
            "    url: http://127.0.0.1:{}\n"
            "    kind: azure\n"
            "    priority: {}\n"
            "    api_key: {}\n"
            "    tpm: {}\n"
            "    rpm: {}\n",
            i + 1, s.emulator_base_port + i, i == 0 ? 1 : 2, quoted(context.resource_key),
            s.tokens_per_minute(), s.requests_per_minute());
    return out;
}

void add_input(ServiceSpec& spec, std::string_view name, std::uint64_t value) {
    spec.inputs.emplace(name, std::to_string(value));
}

Service emulator(const Settings& s, const StackContext& context) {
    Service out;
    out.name = service_names[0];
    out.describe = fmt::format("{} resources with {} tokens a minute each, ports {}-{}", resource_count,
                               grouped(s.tokens_per_minute()), s.emulator_base_port,
                               s.emulator_base_port + resource_count - 1);
    out.config_text = emulator_config(s, context);
    out.health_port = s.emulator_admin_port;
    out.health_path = "/healthz";
    add_input(out.spec, setting::capacity, s.capacity);
    add_input(out.spec, setting::emulator_admin_port, s.emulator_admin_port);
    add_input(out.spec, setting::emulator_base_port, s.emulator_base_port);
    out.spec.ports.push_back({s.emulator_admin_port, std::string(setting::emulator_admin_port)});
    for (std::uint16_t i = 0; i < resource_count; ++i)
        out.spec.ports.push_back(
            {static_cast<std::uint16_t>(s.emulator_base_port + i), std::string(setting::emulator_base_port)});
    out.arguments = {"emulate"};
    return out;
}

Service gateway(const Settings& s, const StackContext& context) {
    Service out;
    out.name = service_names[1];
    out.describe = fmt::format("{}, dashboard {}", s.gateway_url(), s.dashboard_url());
    out.config_text = gateway_config(s, context);
    out.health_port = s.admin_port;
    out.health_path = "/healthz";
    add_input(out.spec, setting::capacity, s.capacity);
    add_input(out.spec, setting::port, s.port);
    add_input(out.spec, setting::admin_port, s.admin_port);
    add_input(out.spec, setting::emulator_base_port, s.emulator_base_port);
    // Only to see that it changed; 64 bits of the digest are enough for that.
    out.spec.inputs.emplace(setting::api_key, sha256_hex(s.api_key.reveal()).substr(0, 16));
    out.spec.ports = {{s.port, std::string(setting::port)}, {s.admin_port, std::string(setting::admin_port)}};
    // Down before the runner loses patience.
    out.arguments = {"serve", "--grace", "10", "--keep-accepting", "0"};
    return out;
}

/// The public samples' variables. The key is not among them: it stays in the stack's settings, which the
/// chat app reads as well.
std::string chat_config(const Settings& s) {
    std::string out = "# Written by spillway up; use spillway env set.\n";
    append_line(out, "OPENAI_HOST", "azure_custom");
    append_line(out, "AZURE_OPENAI_CUSTOM_URL", s.gateway_url());
    append_line(out, "AZURE_OPENAI_CHATGPT_DEPLOYMENT", "gpt-4o");
    append_line(out, "AZURE_OPENAI_EMB_DEPLOYMENT", "text-embedding-3-small");
    return out;
}

Service chat(const Settings& s, const StackContext& context) {
    Service out;
    out.name = service_names[2];
    out.describe = s.chat_url();
    out.config_file = "chat.env";
    out.config_text = chat_config(s);
    out.health_port = s.chat_port;
    out.health_path = "/healthz";
    add_input(out.spec, setting::port, s.port);
    add_input(out.spec, setting::chat_port, s.chat_port);
    out.spec.inputs.emplace(setting::api_key, sha256_hex(s.api_key.reveal()).substr(0, 16));
    out.spec.ports = {{s.chat_port, std::string(setting::chat_port)}};
    out.arguments = {"chat",
                     "--env-file",
                     context.file(out.config_file),
                     "--env-file",
                     context.file(settings_file),
                     "--listen",
                     fmt::format("127.0.0.1:{}", s.chat_port),
                     "--database",
                     context.file(chat_name)};
    return out;
}

}  // namespace

std::string sha256_hex(std::string_view text) {
    identity::KeyHasher hash;
    return to_hex(hash(text));
}

std::vector<Service> services_for(const Settings& settings, const StackContext& context) {
    std::vector<Service> out{emulator(settings, context), gateway(settings, context),
                             chat(settings, context)};
    for (Service& service : out) {
        if (service.config_file.empty()) {
            service.config_file = service.name + ".yaml";
            service.arguments.insert(service.arguments.end(),
                                     {"--config", context.file(service.config_file)});
        }
        service.spec.program = context.build;
        service.spec.config_digest = sha256_hex(service.config_text);
    }
    return out;
}

}  // namespace spillway::app::stack
