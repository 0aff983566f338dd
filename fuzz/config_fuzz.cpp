// Configuration files and backend URLs: no text throws or crashes, a problem stands inside its file, and no
// secret of the sources shows in a problem or a description.
#include <algorithm>

#include "base/strings.hpp"
#include "check.hpp"
#include "config/backend.hpp"
#include "config/describe.hpp"
#include "config/yaml.hpp"

using namespace spillway;

namespace {

constexpr std::string_view kSecret = "Zx9-very-secret-value";

config::Sources sources() {
    config::Sources out;
    out.env = [](std::string_view) { return std::optional(std::string(kSecret)); };
    out.read_file = [](const std::string&) -> Result<std::string> { return std::string(kSecret); };
    return out;
}

template <class T>
void check(const config::Loaded<T>& loaded, std::string_view text) {
    SPILLWAY_EXPECT(loaded.ok() == (loaded.errors() == 0));
    const auto lines =
        std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r') + 1;
    for (const auto& p : loaded.problems) {
        SPILLWAY_EXPECT(p.line >= 0 && p.line <= lines + 1);
        SPILLWAY_EXPECT(p.column >= 0 && static_cast<std::size_t>(p.column) <= text.size() + 1);
        SPILLWAY_EXPECT(p.to_string().find(kSecret) == std::string::npos);
    }
    if (loaded.ok()) SPILLWAY_EXPECT(config::describe(*loaded.value).find(kSecret) == std::string::npos);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    if (text.find(kSecret) != std::string_view::npos) return 0;
    const auto from = sources();
    const auto gateway = config::load_gateway(text, "f", from);
    check(gateway, text);
    if (gateway.ok()) SPILLWAY_EXPECT(!gateway.value->backends.empty());
    const auto emulator = config::load_emulator(text, "f", from);
    check(emulator, text);
    if (emulator.ok()) SPILLWAY_EXPECT(!emulator.value->resources.empty());
    if (const auto url = config::parse_backend_url(text)) {
        SPILLWAY_EXPECT(!url->host.empty() && url->port != 0);
        SPILLWAY_EXPECT(url->base_path.empty() ||
                        (url->base_path[0] == '/' && !url->base_path.ends_with('/')));
        const auto again = config::parse_backend_url(url->to_string());
        SPILLWAY_EXPECT(again && *again == *url);
    }
    return 0;
}
