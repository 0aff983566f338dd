// Context and parse(): the document as a whole.
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <sstream>

#include "config/yaml_reader.hpp"

namespace spillway::config::yaml {
namespace {

/// Where each document starts.
class DocumentStarts : public YAML::EventHandler {
public:
    void OnDocumentStart(const YAML::Mark& mark) override { last = mark; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}

    YAML::Mark last;
};

/// Where the second document starts, if there is one. (Not YAML::LoadAll(): a stray comma outside brackets
/// is an empty document without an end to yaml-cpp 0.7, which then makes documents until memory is out.)
std::optional<YAML::Mark> second_document(const std::string& text) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    DocumentStarts starts;
    if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return std::nullopt;
    return starts.last;
}

}  // namespace

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

std::optional<std::string> Context::register_name(std::string_view kind, std::string_view value,
                                                  std::string path) {
    const auto [it, fresh] = names_.try_emplace({std::string(kind), std::string(value)}, std::move(path));
    return fresh ? std::nullopt : std::optional(it->second);
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
    // yaml-cpp would read UTF-16, but with positions that no editor shows.
    if (text.find('\0') != std::string_view::npos || text.starts_with("\xff\xfe") ||
        text.starts_with("\xfe\xff")) {
        context.error(YAML::Mark::null_mark(), "", "is not UTF-8, but UTF-16 or no text; save it as UTF-8");
        return std::nullopt;
    }
    try {
        const std::string owned(text);
        if (const auto second = second_document(owned)) {
            context.error(*second, "", "expected one YAML document, found another");
            return std::nullopt;
        }
        return YAML::Load(owned);
    } catch (const YAML::Exception& e) {
        // yaml-cpp 0.8 adds ": " and the anchor's name, which may be a secret in a wrong place.
        std::string_view words = e.msg;
        if (words.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) words = words.substr(0, words.find(':'));
        context.error(e.mark, "", fmt::format("is not YAML: {}", words));
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
