#pragma once
/// Typed access to a YAML document that collects problems instead of throwing: the inside of config/yaml.hpp.
///
/// A MapReader knows which keys it was asked for; finish() reports the others. A value that is not as
/// expected is reported once and leaves the variable as it was. A key without a value counts as absent where
/// a map or a list is read (all its lines may be commented out), and as a problem where a value is.
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

/// One document's file name, sources and problems.
class Context {
public:
    Context(std::string_view text, std::string file_name, const Sources& sources);

    void error(const YAML::Mark& at, std::string key, std::string message);
    void warning(const YAML::Mark& at, std::string key, std::string message);

    [[nodiscard]] const Sources& sources() const noexcept { return *sources_; }
    /// `path` as seen from the configuration file's folder.
    [[nodiscard]] std::string resolve(const std::string& path) const;
    [[nodiscard]] bool failed() const noexcept { return errors_ != 0; }
    /// Remembers that the one of `kind` called `value` is at `path`; gives where it was before, if it was.
    [[nodiscard]] std::optional<std::string> claim(std::string_view kind, std::string_view value,
                                                   std::string path);
    /// What was found, in the file's order.
    [[nodiscard]] std::vector<Problem> take_problems();

private:
    void add(Severity severity, const YAML::Mark& at, std::string key, std::string message);
    [[nodiscard]] int column(const YAML::Mark& at) const noexcept;

    std::string_view text_;
    std::string file_;
    const Sources* sources_;
    std::vector<Problem> problems_;
    std::size_t errors_ = 0;
    std::map<std::pair<std::string, std::string>, std::string> claims_;
};

/// The one document of `text`; nothing after a problem. An empty text is a null node.
[[nodiscard]] std::optional<YAML::Node> parse(std::string_view text, Context& context);

/// A node and where it is: `backends[0]`.
struct Item {
    YAML::Node node;
    std::string path;
};

class MapReader {
public:
    /// Anything but a map is a problem, and then there are no keys; a null node is an empty map.
    MapReader(Context& context, const Item& item);

    [[nodiscard]] bool has(std::string_view key);
    /// False if the node was no map at all, which has been reported.
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
    /// Which of `names` the value is.
    [[nodiscard]] std::optional<std::size_t> choice_index(std::string_view key,
                                                          const std::vector<std::string_view>& names);
    /// A secret from `key`, `key_env` or `key_file`; nothing if none of them is there or there is a problem.
    /// At most one of the three and of `others` may be there.
    [[nodiscard]] std::optional<Secret> secret(std::string_view key,
                                               std::initializer_list<std::string_view> others = {});

    /// A value's text as it stands, to be judged by the caller.
    [[nodiscard]] std::optional<std::string> scalar(std::string_view key, std::string_view expected);
    [[nodiscard]] std::optional<Item> map(std::string_view key);
    [[nodiscard]] std::vector<Item> list(std::string_view key, std::string_view expected = "expected a list");
    /// The value whatever it is.
    [[nodiscard]] std::optional<Item> any(std::string_view key);
    /// Whether the list is absent or empty; what is no list is reported by list().
    [[nodiscard]] bool is_empty_list(std::string_view key);
    /// Reports `key` as taken if its `value` was seen before in the document as one of `kind`.
    void claim_name(std::string_view key, std::string_view kind, const std::string& value);
    /// All pairs, for a map whose keys the user chooses.
    [[nodiscard]] std::vector<std::pair<std::string, Item>> pairs();

    void error(std::string_view key, std::string message);
    void warning(std::string_view key, std::string message);
    void error_here(std::string message);
    [[nodiscard]] Context& context() const noexcept { return *context_; }
    [[nodiscard]] const std::string& where() const noexcept { return path_; }
    [[nodiscard]] std::string path_of(std::string_view key) const;

    /// Reports each key that nobody asked for.
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

/// What is likely not meant, in a secret that stands in the file itself: a variable that nobody fills in, or
/// with `least_length` one that can be guessed. Empty if nothing is.
[[nodiscard]] std::string secret_doubt(std::string_view value, std::size_t least_length);
/// Shorter ones of clients and of the admin plane can be guessed.
inline constexpr std::size_t kLeastKeyLength = 8;

/// Why a secret's text cannot be one; empty if it can. It must be able to stand in an HTTP field.
[[nodiscard]] std::string_view secret_fault(std::string_view value) noexcept;

/// 1 to 64 letters, digits, '.', '_', '-': fit for fields, labels of metrics and file names.
[[nodiscard]] bool is_name(std::string_view text) noexcept;
inline constexpr std::string_view kNameExpected = "expected 1 to 64 letters, digits, '.', '_' or '-'";

}  // namespace spillway::config::yaml
