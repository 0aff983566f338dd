#pragma once
/// Typed access to a YAML document that collects problems instead of throwing. Internal to config/yaml.hpp.
///
/// A MapReader remembers which keys were read; finish() reports the others. An unexpected value is reported
/// once and leaves the variable unchanged. A key without a value counts as absent where a map or a list is
/// read (all its lines may be commented out), and as a problem where a single value is.
/// Ownership: a Context outlives its readers; nodes share yaml-cpp's document. Thread rule: one thread.
#include <yaml-cpp/yaml.h>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "config/problem.hpp"
#include "config/secret.hpp"
#include "config/sources.hpp"

namespace spillway::config::yaml {

/// The file name, sources and problems of one document.
class Context {
public:
    Context(std::string_view text, std::string file_name, const Sources& sources);

    void error(const YAML::Mark& at, std::string key, std::string message);
    void warning(const YAML::Mark& at, std::string key, std::string message);

    [[nodiscard]] const Sources& sources() const noexcept { return *sources_; }
    /// `path`, if relative, from the configuration file's folder.
    [[nodiscard]] std::string resolve(const std::string& path) const;
    [[nodiscard]] bool failed() const noexcept { return errors_ != 0; }
    /// Registers the name `value` of a thing of this `kind` at `path`; returns the path of an earlier one.
    [[nodiscard]] std::optional<std::string> register_name(std::string_view kind, std::string_view value,
                                                           std::string path);
    /// Moves out the problems found, in the file's order.
    [[nodiscard]] std::vector<Problem> take_problems();

private:
    void add(Severity severity, const YAML::Mark& at, std::string key, std::string message);
    [[nodiscard]] int column(const YAML::Mark& at) const noexcept;

    std::string_view text_;
    std::string file_;
    const Sources* sources_;
    std::vector<Problem> problems_;
    std::size_t errors_ = 0;
    std::map<std::pair<std::string, std::string>, std::string> names_;
};

/// The only document of `text`; nullopt after a problem. An empty text is a null node.
[[nodiscard]] std::optional<YAML::Node> parse(std::string_view text, Context& context);

/// A node and its path: `backends[0]`.
struct Item {
    YAML::Node node;
    std::string path;
};

class MapReader {
public:
    /// Anything but a map is a problem, and has no keys; a null node is an empty map.
    MapReader(Context& context, const Item& item);

    [[nodiscard]] bool has(std::string_view key);
    /// False if the node was not a map, which has been reported.
    [[nodiscard]] bool valid() const noexcept { return valid_; }

    void text(std::string_view key, std::string& out);
    void path(std::string_view key, std::string& out);
    void boolean(std::string_view key, bool& out);
    void duration(std::string_view key, Duration& out, Duration min = std::chrono::milliseconds(1),
                  Duration max = std::chrono::hours(24));
    void size(std::string_view key, std::size_t& out, std::size_t min, std::size_t max);
    void real(std::string_view key, double& out, double min, double max);
    template <std::unsigned_integral T>
    void whole(std::string_view key, T& out, T min = 0, T max = std::numeric_limits<T>::max()) {
        if (const auto n = whole_number(key, min, max)) out = static_cast<T>(*n);
    }
    /// The index of the value among `names`.
    [[nodiscard]] std::optional<std::size_t> choice_index(std::string_view key,
                                                          const std::vector<std::string_view>& names);
    /// A secret from `key`, `key_env` or `key_file`; nullopt if none is present or there is a problem. At
    /// most one of the three and `others` may be present.
    [[nodiscard]] std::optional<Secret> secret(std::string_view key,
                                               std::initializer_list<std::string_view> others = {});

    /// A value's text as it is, for the caller to judge.
    [[nodiscard]] std::optional<std::string> scalar(std::string_view key, std::string_view expected);
    [[nodiscard]] std::optional<Item> map(std::string_view key);
    [[nodiscard]] std::vector<Item> list(std::string_view key, std::string_view expected = "expected a list");
    /// The value, of whatever type.
    [[nodiscard]] std::optional<Item> any(std::string_view key);
    /// Whether the list is absent or empty; list() reports what is not a list.
    [[nodiscard]] bool is_empty_list(std::string_view key);
    /// Reports `key` if the document already has a thing of this `kind` named `value`.
    void require_unique(std::string_view key, std::string_view kind, const std::string& value);
    /// All pairs, for a map with keys chosen by the user.
    [[nodiscard]] std::vector<std::pair<std::string, Item>> pairs();

    void error(std::string_view key, std::string message);
    void warning(std::string_view key, std::string message);
    void error_here(std::string message);
    [[nodiscard]] Context& context() const noexcept { return *context_; }
    [[nodiscard]] const std::string& where() const noexcept { return path_; }
    [[nodiscard]] std::string path_of(std::string_view key) const;

    /// Reports each key that was not read.
    void finish();

private:
    struct Entry {
        std::string key;
        YAML::Mark key_mark;
        YAML::Node value;
    };
    [[nodiscard]] const Entry* find(std::string_view key);
    [[nodiscard]] YAML::Mark mark_of(std::string_view key) const;
    [[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view key, std::uint64_t min,
                                                            std::uint64_t max);

    Context* context_;
    std::string path_;
    YAML::Mark mark_;
    bool valid_ = true;
    std::vector<Entry> entries_;
    std::vector<std::string> known_;
};

/// What looks wrong with a secret written in the file itself: a variable that nothing expands, or, with
/// `least_length`, a text that can be guessed. Empty if nothing does.
[[nodiscard]] std::string secret_doubt(std::string_view value, std::size_t least_length);
/// Shorter keys of clients and of the admin plane can be guessed.
inline constexpr std::size_t kLeastKeyLength = 8;

/// Why a text cannot be a secret; empty if it can. It must be valid in an HTTP field.
[[nodiscard]] std::string_view secret_fault(std::string_view value) noexcept;

/// 1 to 64 letters, digits, '.', '_', '-': safe in fields, metrics' labels and file names.
[[nodiscard]] bool is_name(std::string_view text) noexcept;
inline constexpr std::string_view kNameExpected = "expected 1 to 64 letters, digits, '.', '_' or '-'";

}  // namespace spillway::config::yaml
