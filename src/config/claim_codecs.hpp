#pragma once
/// Codecs of what is configured about tokens: conditions on claims, and addresses of an issuer.
///
/// As those in config/codecs.hpp. Thread rule: values. Errors: problems, reported to the reader.
#include "config/codecs.hpp"
#include "config/token_policy.hpp"

namespace spillway::config::codec {

/// From a claim to the value, or the list of values, of which a token must have one.
struct Conditions {
    void read(yaml::MapReader& reader, std::string_view key, ClaimConditions& out) const;
    [[nodiscard]] OptionalValue show(const ClaimConditions& value) const;
    void inform(SettingInfo& info) const {
        info.kind = SettingKind::map;
        info.lists = true;
    }
};

/// An https URL, or one of this machine.
struct SafeUrl : Text {
    std::string_view danger = "whoever is on the way could give other keys";
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const;
};

}  // namespace spillway::config::codec
