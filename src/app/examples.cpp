// The examples that each verb's --help, and the manual, ends with.
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "app/suggest.hpp"

namespace spillway::app {
namespace {

struct Example {
    std::string_view verb;
    std::string_view lines;
};

constexpr std::array kExamples{
    Example{"serve",
            "  spillway serve --config gateway.yaml\n"
            "  BACKEND_1_URL=https://one.openai.azure.com BACKEND_1_PRIORITY=1 spillway serve"},
    Example{"check",
            "  spillway check --config gateway.yaml\n"
            "  spillway check --config gateway.yaml --connect\n"
            "  spillway check --schema > gateway.schema.json"},
    Example{"emulate",
            "  spillway emulate\n"
            "  spillway emulate --config emulator.yaml"},
    Example{"chat",
            "  spillway chat\n"
            "  AZURE_OPENAI_SERVICE=my-resource AZURE_OPENAI_API_KEY=... spillway chat"},
    Example{"up",
            "  spillway up\n"
            "  spillway env set OPENAI_CAPACITY 50 && spillway up"},
    Example{"down",
            "  spillway down\n"
            "  spillway down --purge --force"},
    Example{"env",
            "  eval \"$(spillway env get-values)\"\n"
            "  spillway env set OPENAI_CAPACITY 50"},
    Example{"usage",
            "  spillway usage --by user\n"
            "  spillway usage --ledger usage.db --since 7d --json"},
    Example{"load",
            "  spillway load --rate 5 --duration 1m\n"
            "  spillway load --rate 5 --duration 1m --threshold 'error_rate < 1%' --json now.json\n"
            "  spillway load compare before.json now.json --out compare.html"},
    Example{"top",
            "  spillway top\n"
            "  spillway top --url http://127.0.0.1:8081 --sort refused\n"
            "  spillway top --once --json"},
    Example{"keys",
            "  spillway keys create --client app --deployments gpt-4o --expires-in 90d\n"
            "  spillway keys rotate key_8x2m... --overlap 24h\n"
            "  spillway keys revoke key_8x2m..."},
    Example{"health",
            "  spillway health\n"
            "  spillway health --ready --port 8081"},
    Example{"backup",
            "  spillway backup --config gateway.yaml --chat chat.db --to /var/backups/spillway\n"
            "  spillway backup --to backup"},
    Example{"restore", "  spillway restore --config gateway.yaml --from /var/backups/spillway"},
    Example{"import",
            "  spillway import litellm/config.yaml > gateway.yaml\n"
            "  az bicep build --file apim.bicep --stdout | spillway import - -o gateway.yaml\n"
            "  spillway check --config gateway.yaml"},
};

}  // namespace

void add_examples(CLI::App& app) {
    for (auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
        for (const auto& [name, lines] : kExamples) {
            if (verb->get_name() != name) continue;
            const auto before = verb->get_footer();
            verb->footer(fmt::format("{}{}Examples:\n{}", before, before.empty() ? "" : "\n\n", lines));
        }
}

}  // namespace spillway::app
