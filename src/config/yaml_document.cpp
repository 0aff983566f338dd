// Context and parse(): the document as a whole.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>

#include "config/yaml_reader.hpp"

namespace spillway::config::yaml {

Context::Context(std::string_view text, std::string file_name, const Sources& sources)
    : text_(text), file_(std::move(file_name)), sources_(&sources) {}

/// yaml-cpp counts bytes; people and editors count characters.
int Context::column(const YAML::Mark& at) const noexcept {
    const auto end = std::min(text_.size(), static_cast<std::size_t>(std::max(at.pos, 0)));
    const auto start = end - std::min(end, static_cast<std::size_t>(std::max(at.column, 0)));
    int n = 1;
    for (const char c : text_.substr(start, end - start))
        n += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    return n;
}

void Context::add(Severity severity, const YAML::Mark& at, std::string key, std::string message) {
    Problem p{severity, file_, 0, 0, std::move(key), std::move(message)};
    if (!at.is_null()) {
        p.line = at.line + 1;
        p.column = column(at);
    }
    problems_.push_back(std::move(p));
}

void Context::error(const YAML::Mark& at, std::string key, std::string message) {
    ++errors_;
    add(Severity::error, at, std::move(key), std::move(message));
}

void Context::warning(const YAML::Mark& at, std::string key, std::string message) {
    add(Severity::warning, at, std::move(key), std::move(message));
}

std::string Context::resolve(const std::string& path) const {
    return (std::filesystem::path(file_).parent_path() / path).string();
}

std::vector<Problem> Context::take_problems() {
    std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
        return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    return std::move(problems_);
}

std::optional<YAML::Node> parse(std::string_view text, Context& context) {
    try {
        const auto documents = YAML::LoadAll(std::string(text));
        if (documents.empty()) return YAML::Node();
        if (documents.size() > 1) {
            context.error(documents[1].Mark(), "", "expected one YAML document, found another");
            return std::nullopt;
        }
        return documents.front();
    } catch (const YAML::Exception& e) {
        context.error(e.mark, "", fmt::format("is not YAML: {}", e.msg));
    } catch (const std::exception&) {  // what yaml-cpp lets through from the standard library
        context.error(YAML::Mark::null_mark(), "", "is not YAML");
    }
    return std::nullopt;
}

std::string_view secret_fault(std::string_view value) noexcept {
    if (value.empty()) return "is empty";
    const bool visible =
        std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    return visible ? "" : "holds spaces, line breaks or characters outside ASCII, which a key cannot";
}

bool is_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
    });
}

}  // namespace spillway::config::yaml
