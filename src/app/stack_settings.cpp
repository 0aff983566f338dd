#include "app/stack_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/rand.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <stdexcept>

#include "base/strings.hpp"

namespace spillway::app::stack {
namespace {

constexpr std::uint32_t most_capacity = 10'000'000;
constexpr std::size_t shortest_key = 8;
constexpr std::size_t longest_key = 256;

constexpr std::array derived{setting::gateway_url, setting::chat_url};
constexpr std::array names{setting::api_key,           setting::capacity,  setting::port,
                           setting::admin_port,        setting::chat_port, setting::emulator_admin_port,
                           setting::emulator_base_port};

bool is_port(std::string_view name) noexcept {
    return name == setting::port || name == setting::admin_port || name == setting::chat_port ||
           name == setting::emulator_admin_port || name == setting::emulator_base_port;
}

Result<std::string> check_number(std::string_view name, std::string_view value, std::uint32_t most) {
    const auto number = parse_int<std::uint32_t>(value);
    if (!number || *number == 0 || *number > most)
        return fail(fmt::format("{} must be a whole number from 1 to {}, not \"{}\"", name, most, value));
    return std::to_string(*number);
}

Result<std::string> check_key(std::string_view name, std::string_view value) {
    if (value.size() < shortest_key || value.size() > longest_key)
        return fail(fmt::format("{} must have {} to {} characters", name, shortest_key, longest_key));
    if (std::any_of(value.begin(), value.end(), [](char c) { return c <= ' ' || c > '~'; }))
        return fail(fmt::format("{} may have visible ASCII characters only, no blanks", name));
    return std::string(value);
}

template <class Int>
Result<void> apply(const Values& values, std::string_view name, Int& into) {
    const auto at = values.find(name);
    if (at == values.end()) return {};
    const auto checked = check_setting(name, at->second);
    if (!checked) return checked.error();
    into = parse_int<Int>(*checked).value();
    return {};
}

Result<void> check_ports_differ(const Settings& s) {
    struct Range {
        std::string_view name;
        std::uint32_t first;
        std::uint32_t count;
    };
    const std::array<Range, 5> ranges{{{setting::port, s.port, 1},
                                       {setting::admin_port, s.admin_port, 1},
                                       {setting::chat_port, s.chat_port, 1},
                                       {setting::emulator_admin_port, s.emulator_admin_port, 1},
                                       {setting::emulator_base_port, s.emulator_base_port, resource_count}}};
    if (s.emulator_base_port + std::uint32_t{resource_count} - 1 > std::numeric_limits<std::uint16_t>::max())
        return fail(fmt::format("{} {} leaves no room for {} ports", setting::emulator_base_port,
                                s.emulator_base_port, resource_count));
    for (std::size_t a = 0; a < ranges.size(); ++a)
        for (std::size_t b = a + 1; b < ranges.size(); ++b) {
            const std::uint32_t first = std::max(ranges[a].first, ranges[b].first);
            const std::uint32_t end =
                std::min(ranges[a].first + ranges[a].count, ranges[b].first + ranges[b].count);
            if (first < end)
                return fail(fmt::format("port {} is wanted twice: by {} and by {}{}", first, ranges[a].name,
                                        ranges[b].name,
                                        ranges[b].count > 1 ? " (which takes three ports)" : ""));
        }
    return {};
}

}  // namespace

std::string Settings::gateway_url() const {
    return fmt::format("http://127.0.0.1:{}", port);
}

std::string Settings::chat_url() const {
    return fmt::format("http://127.0.0.1:{}", chat_port);
}

std::string Settings::dashboard_url() const {
    return fmt::format("http://127.0.0.1:{}", admin_port);
}

Result<std::string> check_setting(std::string_view name, std::string_view value) {
    if (std::find(derived.begin(), derived.end(), name) != derived.end())
        return fail(fmt::format("{} follows from {}: set that", name,
                                name == setting::chat_url ? setting::chat_port : setting::port));
    if (name == setting::capacity) return check_number(name, value, most_capacity);
    if (is_port(name)) return check_number(name, value, std::numeric_limits<std::uint16_t>::max());
    if (name == setting::api_key) return check_key(name, value);
    return fail(fmt::format("there is no setting \"{}\"; there are: {}", name, fmt::join(names, ", ")));
}

Result<Settings> settings_from(const Values& values) {
    Settings s;
    for (const auto& [name, value] : values)
        if (const auto checked = check_setting(name, value); !checked) return checked.error();
    if (auto r = apply(values, setting::capacity, s.capacity); !r) return r.error();
    if (auto r = apply(values, setting::port, s.port); !r) return r.error();
    if (auto r = apply(values, setting::admin_port, s.admin_port); !r) return r.error();
    if (auto r = apply(values, setting::chat_port, s.chat_port); !r) return r.error();
    if (auto r = apply(values, setting::emulator_admin_port, s.emulator_admin_port); !r) return r.error();
    if (auto r = apply(values, setting::emulator_base_port, s.emulator_base_port); !r) return r.error();
    if (const auto key = values.find(setting::api_key); key != values.end())
        s.api_key = config::Secret(key->second);
    if (auto r = check_ports_differ(s); !r) return r.error();
    return s;
}

std::vector<std::pair<std::string, std::string>> listed(const Settings& s) {
    std::vector<std::pair<std::string, std::string>> out;
    const auto add = [&](std::string_view name, std::string value) {
        out.emplace_back(std::string(name), std::move(value));
    };
    add(setting::gateway_url, s.gateway_url());
    add(setting::chat_url, s.chat_url());
    add(setting::api_key, std::string(s.api_key.reveal()));
    add(setting::capacity, std::to_string(s.capacity));
    add(setting::port, std::to_string(s.port));
    add(setting::admin_port, std::to_string(s.admin_port));
    add(setting::chat_port, std::to_string(s.chat_port));
    add(setting::emulator_admin_port, std::to_string(s.emulator_admin_port));
    add(setting::emulator_base_port, std::to_string(s.emulator_base_port));
    return out;
}

bool is_stack_name(std::string_view name) noexcept {
    const auto plain = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= 64 && plain(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return plain(c) || c == '-' || c == '_' || c == '.'; });
}

std::string make_key() {
    std::array<unsigned char, 32> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("the system gives no random numbers for a key");
    std::string key = fmt::format("{:02x}", fmt::join(bytes, ""));
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return key;
}

}  // namespace spillway::app::stack
