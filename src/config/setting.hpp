#pragma once
/// The description of a setting, apart from how to read it: the source of the schema, of the tables in
/// docs/configuration.md, of `spillway check`'s output and of a reload's messages.
///
/// Thread rule: plain values.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::config {

/// When a changed value takes effect.
enum class Apply : std::uint8_t {
    live,     ///< at a reload, for whatever starts afterwards
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
    secret,   ///< also given as KEY_env or KEY_file
    section,  ///< `children` are its keys
    list,     ///< of texts, or of sections with `children`
    map,      ///< from keys chosen by the user to texts, or to sections with `children`
};

/// What a row's author writes about it.
struct About {
    std::string_view help{};           ///< Markdown, a phrase without a capital and a full stop
    std::string_view default_words{};  ///< the default in words, if the value does not say it
    std::string_view needed{};         ///< the problem if it is absent; empty: it is optional
    Apply apply = Apply::live;
};

struct SettingInfo {
    std::string key;
    SettingKind kind = SettingKind::text;
    std::string help;
    std::string default_value;  ///< as written in a file; empty: see default_words
    std::string default_words;  ///< empty: see default_value; both empty: not set
    std::string minimum;        ///< as written in a file; empty: none (also below)
    std::string maximum;
    std::vector<std::string> choices;  ///< a section: one of these words may stand for it
    bool lists = false;                ///< a map to texts: lists of texts are allowed, too
    bool needed = false;
    Apply apply = Apply::live;
    std::vector<SettingInfo> children;
};

}  // namespace spillway::config
