#pragma once
/// What is known of a setting besides how to read it: the source of the schema, of the tables in
/// docs/configuration.md, of `spillway check`'s output and of what a reload says.
///
/// Plain values. Thread rule: as values.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::config {

/// When a changed value takes effect.
enum class Apply : std::uint8_t {
    live,     ///< at a reload, for what begins from then on
    restart,  ///< only when the process starts; a reload warns
};

enum class SettingKind : std::uint8_t {
    boolean,
    whole,
    number,
    duration,
    size,
    text,
    choice,
    secret,   ///< also as KEY_env and KEY_file
    section,  ///< `children` are its keys
    list,     ///< of texts, or of sections with `children`
    map,      ///< whose keys the user chooses, to texts, or to sections with `children`
};

/// What the author of a row says of it.
struct About {
    std::string_view help{};           ///< Markdown, a phrase without a capital and a full stop
    std::string_view default_words{};  ///< the default in words, where the value does not say it
    std::string_view needed{};         ///< what is reported if it is absent; empty: it may be
    Apply apply = Apply::live;
};

struct SettingInfo {
    std::string key;
    SettingKind kind = SettingKind::text;
    std::string help;
    std::string default_value;  ///< as the file would have it; empty: see default_words
    std::string default_words;  ///< empty: see default_value; both empty: not set
    std::string minimum;        ///< as the file would have it; empty: none (also below)
    std::string maximum;
    std::vector<std::string> choices;  ///< of a section: one of these words will do instead
    bool lists = false;                ///< of a map to texts: lists of texts will do as well
    bool needed = false;
    Apply apply = Apply::live;
    std::vector<SettingInfo> children;
};

}  // namespace spillway::config
