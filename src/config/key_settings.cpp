#include "config/key_settings.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/wall_time.hpp"
#include "config/codecs.hpp"
#include "config/settings.hpp"
#include "config/units.hpp"

namespace spillway::config {
namespace {

constexpr std::size_t kMostText = 1000;
constexpr std::chrono::hours kDay(24);
constexpr Duration kLongest = kDay * 3660;

/// As read: what is relative to now is settled afterwards.
struct Draft {
    KeyRequest request;
    std::string expires;
    Duration expires_in{};
};

std::optional<Wall> time_of(const std::string& text) {
    std::tm tm{};
    const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &tm);
    const char* const day = rest == nullptr ? ::strptime(text.c_str(), "%Y-%m-%d", &tm) : nullptr;
    const bool good = (rest != nullptr && std::string_view(rest) == "Z") || (day != nullptr && *day == '\0');
    if (!good) return std::nullopt;
    return wall_at(::timegm(&tm));
}

struct ShortText : codec::Text {
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
        std::string text;
        reader.text(key, text);
        if (text.size() > kMostText)
            reader.error(key, fmt::format("expected at most {} bytes", kMostText));
        else if (reader.has(key))
            out = text;
    }
};

/// A text that null takes away.
template <class Codec>
struct Removable : Codec {
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
        if (const auto item = reader.any(key); item && item->node.IsNull())
            out.clear();
        else
            Codec::read(reader, key, out);
    }
};

/// Days too, which nothing else lasts for: `90d`.
struct LongTime : codec::Time {
    void read(yaml::MapReader& reader, std::string_view key, Duration& out) const {
        std::string text;
        reader.text(key, text);
        const bool days = text.ends_with('d');
        const auto count =
            days ? parse_int<std::uint32_t>(trim(text.substr(0, text.size() - 1))) : std::nullopt;
        std::optional<Duration> value;
        if (!days) value = parse_duration(text);
        if (count) value = kDay * std::min<std::int64_t>(*count, kLongest / kDay + 1);
        if (value && *value >= min && *value <= max)
            out = *value;
        else if (!text.empty())
            reader.error(key, "expected a duration such as 30m, 24h or 90d, of ten years at most");
    }
};

template <class Member>
auto of_settings(Member KeySettings::*member) {
    return [member](auto& draft) -> auto& { return draft.request.settings.*member; };
}

const Fields<Draft>& key_fields() {
    static const auto fields =
        Fields<Draft>()
            .add("client", of_settings(&KeySettings::client), codec::Name{}, {.help = "whose it is"})
            .add("team", of_settings(&KeySettings::team), Removable<codec::Name>{}, {.help = "its team"})
            .add("name", of_settings(&KeySettings::name), Removable<ShortText>{},
                 {.help = "what it is called"})
            .add("note", of_settings(&KeySettings::note), Removable<ShortText>{}, {.help = "anything"})
            .then([](yaml::MapReader& reader, Draft& draft) {
                const auto list = reader.any("deployments");
                if (list && !list->node.IsNull() && reader.is_empty_list("deployments"))
                    reader.error("deployments", "is empty; without it, or with null, all are allowed");
                if (reader.has("deployments")) draft.request.settings.deployments.clear();
                if (reader.has("limits")) draft.request.settings.limits = {};
            })
            .add("deployments", of_settings(&KeySettings::deployments),
                 codec::TextList{"expected a list of deployments", "expected a deployment's name"},
                 {.help = "that it may ask for"})
            .section("limits", of_settings(&KeySettings::limits), quota_fields(), {.help = "of this key"})
            .add("expires", &Draft::expires, codec::Text{}, {.help = "a time, or `never`"})
            .add("expires_in", &Draft::expires_in, LongTime{{std::chrono::seconds(1), kLongest}},
                 {.help = "from now"})
            .add("overlap", [](auto& draft) -> auto& { return draft.request.overlap; },
                 LongTime{{Duration::zero(), kLongest}}, {.help = "of the old key and the new"})
            .add("key", [](auto& draft) -> auto& { return draft.request.key; }, codec::SecretText{},
                 {.help = "one that there is already"})
            .add("key_sha256", [](auto& draft) -> auto& { return draft.request.key_sha256; }, codec::Text{},
                 {.help = "of one that there is already"});
    return fields;
}

}  // namespace

Loaded<KeyRequest> read_key_request(std::string_view json, KeyRequest start, Wall now) {
    // Nothing of a request may name the gateway's environment or files.
    Sources none;
    none.env = [](std::string_view) { return std::optional<std::string>(); };
    none.read_file = [](const std::string&) -> Result<std::string> {
        return fail("is not read for a request");
    };
    yaml::Context context(json, "request", none);
    Draft draft;
    draft.request = std::move(start);
    if (const auto document = yaml::parse(json, context)) {
        key_fields().read_all(context, {*document, ""}, draft);
        if (draft.expires == "never") {
            draft.request.never_expires = true;
            draft.request.expires.reset();
        } else if (!draft.expires.empty()) {
            draft.request.expires = time_of(draft.expires);
            if (!draft.request.expires)
                context.error(document->Mark(), "expires",
                              "expected a time in UTC like 2027-01-31T12:00:00Z, a day, or never");
        }
        if (draft.expires_in > Duration::zero())
            draft.request.expires = now + std::chrono::duration_cast<Wall::duration>(draft.expires_in);
    }
    Loaded<KeyRequest> out;
    if (!context.failed()) out.value = std::move(draft.request);
    out.problems = context.take_problems();
    return out;
}

std::string key_settings_json(const KeySettings& settings) {
    JsonWriter json;
    json.open().field("client", settings.client);
    const auto text = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) json.field(name, value);
    };
    text("team", settings.team);
    text("name", settings.name);
    text("note", settings.note);
    if (!settings.deployments.empty()) {
        json.key("deployments").open_list();
        for (const std::string& deployment : settings.deployments) json.text(deployment);
        json.close_list();
    }
    const QuotaConfig& limits = settings.limits;
    if (limits != QuotaConfig{}) {
        json.key("limits").open();
        const auto number = [&](std::string_view name, auto value) {
            // All digits: it is read again.
            if (value != 0) json.key(name).raw(fmt::format("{}", value));
        };
        number("tokens_per_minute", limits.tokens_per_minute);
        number("requests_per_minute", limits.requests_per_minute);
        number("concurrency", limits.concurrency);
        const auto periods = [&](std::string_view name, const auto& values) {
            if (values == std::remove_cvref_t<decltype(values)>{}) return;
            json.key(name).open();
            number("hour", values.hour);
            number("day", values.day);
            number("week", values.week);
            number("month", values.month);
            json.close();
        };
        periods("tokens", limits.tokens);
        periods("budget", limits.budget);
        if (limits.shadow) json.field("shadow", true);
        json.close();
    }
    return json.close().take();
}

}  // namespace spillway::config
