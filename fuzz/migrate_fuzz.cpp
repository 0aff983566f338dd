// Other gateways' configurations: no text throws or crashes, what comes out loads, and no key that stands in
// the input is in it or in a note.
#include "check.hpp"
#include "config/yaml.hpp"
#include "migrate/migrate.hpp"

using namespace spillway;

namespace {

constexpr std::string_view kSecret = "Zx9-very-secret-value";

config::Sources sources() {
    config::Sources out;
    out.env = [](std::string_view name) { return std::optional("value-of-" + std::string(name)); };
    out.read_file = [](const std::string&) -> Result<std::string> { return fail("no files"); };
    return out;
}

void check(std::string_view text, std::optional<migrate::Kind> kind, bool planted = false) {
    const auto none = [](std::string_view) -> std::optional<std::string> { return std::nullopt; };
    const auto out = migrate::convert(text, kind, none);
    if (!out) {
        SPILLWAY_EXPECT(!out.error().message.empty());
        return;
    }
    if (planted) SPILLWAY_EXPECT(out->yaml.find(kSecret) == std::string::npos);
    for (const auto& note : out->notes) {
        SPILLWAY_EXPECT(note.line >= 0);
        if (planted) SPILLWAY_EXPECT((note.key + note.message).find(kSecret) == std::string::npos);
        SPILLWAY_EXPECT(note.message.find('\x1b') == std::string::npos &&
                        note.key.find('\x1b') == std::string::npos);
    }
    if (out->yaml.empty()) return;
    const auto loaded = config::load_gateway(out->yaml, "f", sources());
    if (!loaded.ok()) std::fputs((config::to_string(loaded.problems) + out->yaml).c_str(), stderr);
    SPILLWAY_EXPECT(loaded.ok());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    check(text, std::nullopt);
    if (size == 0) return 0;
    check(text.substr(1), static_cast<migrate::Kind>(data[0] % 5));
    // A key in its place, whatever else the file says.
    if (text.find(kSecret) != std::string_view::npos) return 0;
    const auto whole =
        "model_list: [{model_name: a, litellm_params: {model: azure/a, api_base: "
        "'https://a.openai.azure.com', api_key: " +
        std::string(kSecret) + "}}]\n" + std::string(text);
    check(whole, migrate::Kind::litellm, true);
    return 0;
}
