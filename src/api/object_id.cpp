#include "api/object_id.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/json_reader.hpp"
#include "api/route.hpp"
#include "base/name_set.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

struct Kind {
    std::string_view prefix;
    std::string_view missing = "No such object: {}";
    std::string_view code = {};
};
constexpr std::string_view kNoFile = "No such File object: {}";
constexpr std::string_view kNoThread = "No thread found with id '{}'.";

constexpr auto kKinds = std::to_array<Kind>({
    {"resp_", "Response with id '{}' not found."},
    {"conv_", "Conversation with id '{}' not found."},
    {"file-", kNoFile},
    {"file_", kNoFile},
    {"assistant-", kNoFile},
    {"upload_", "No such Upload object: {}"},
    {"part_"},
    {"batch_", "No such Batch object: {}"},
    {"vs_", "No vector store found with id '{}'."},
    {"vsfb_", "No file batch found with id '{}'."},
    {"cntr_", "Container with id '{}' not found."},
    {"cfile_", "Container file with id '{}' not found."},
    {"thread_", kNoThread},
    {"asst_", "No assistant found with id '{}'."},
    {"run_", "No run found with id '{}'."},
    {"step_"},
    {"msg_", "No message found with id '{}'."},
    {"ftjob-", "Could not find fine tune: {}", "fine_tune_not_found"},
    {"ftjob_", "Could not find fine tune: {}", "fine_tune_not_found"},
    {"ftckpt_"},
    {"eval_", "Eval with id '{}' not found."},
    {"evalrun_", "Eval run with id '{}' not found."},
    {"outputitem_"},
    {"video_", "Video with id '{}' not found."},
    {"task_", "The job {} was not found."},
    {"gen_", "The generation {} was not found."},
    {"chatcmpl-", "No chat completion found with id '{}'."},
    {"skill_", "Skill with id '{}' not found."},
    {"skillver_"},
    {"cthr_", kNoThread},
    {"cksess_"},
    {"rtc_"},
    {"voice_"},
    {"cons_"},
    {"item_"},
});
constexpr std::size_t kLeast = 8;
constexpr std::size_t kMost = 256;

/// What begins a path that leads to things …
constexpr NameSet kCollections("files", "uploads", "batches", "vector_stores", "containers", "conversations",
                               "threads", "assistants", "responses", "fine_tuning", "fine-tunes", "evals",
                               "videos", "video", "skills", "chatkit", "chat", "realtime", "audio");
/// … of which these make things out of a model's answers …
constexpr NameSet kAnswers("responses", "chat", "realtime");
/// … and what stands in such paths and is no id, although a digit may be in it.
constexpr NameSet kWords("jobs", "runs", "generations", "completions", "messages", "steps", "items",
                         "input_items", "output_items", "file_batches", "parts", "events", "checkpoints",
                         "voice_consents", "sessions", "versions", "permissions", "calls", "content",
                         "cancel", "complete");
/// Members that hold an id, whatever it looks like …
constexpr NameSet kIdMembers("file_id", "input_file_id", "training_file", "validation_file", "assistant_id",
                             "thread_id", "vector_store_id", "previous_response_id", "response_id",
                             "container", "container_id", "conversation", "batch_id", "upload_id", "eval_id",
                             "run_id", "video_id", "skill_id");
constexpr NameSet kIdListMembers("file_ids", "vector_store_ids", "part_ids");
/// … and those whose strings are texts.
constexpr NameSet kTexts("metadata", "text", "content", "instructions", "input", "prompt", "name",
                         "description", "title", "model", "custom_id", "user", "safety_identifier",
                         "prompt_cache_key");

bool is_id_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
bool is_written_as_id(std::string_view text, std::size_t least = 1) noexcept {
    return text.size() >= least && text.size() <= kMost && std::all_of(text.begin(), text.end(), is_id_char);
}

const Kind* kind_of(std::string_view id) noexcept {
    const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                    [&](const Kind& kind) { return id.starts_with(kind.prefix); });
    return found == kKinds.end() ? nullptr : &*found;
}

bool has_digit(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Walks a request's body.
class RequestIds {
public:
    RequestIds(std::string_view json, IdList& out) : reader_(json), out_(out) {}

    void run() { (void)value({}); }

private:
    bool value(std::string_view member) {
        switch (reader_.peek()) {
            case JsonKind::string:
                return string(member);
            case JsonKind::array:
                return reader_.array([&] { return value(member); });
            case JsonKind::object:
                return reader_.object([&](const JsonString& key) {
                    std::string buffer;
                    const std::string_view name = key.text(buffer);
                    if (name == "metadata" || name == "attributes") return reader_.skip();
                    // A conversation given as an object is its id's.
                    return value(member == "conversation" && name == "id" ? member : name);
                });
            default:
                return reader_.skip();
        }
    }

    bool string(std::string_view member) {
        JsonString text;
        if (!reader_.string(text)) return false;
        if (kTexts.has(member)) return true;
        const std::string_view id = text.text(buffer_);
        const bool named = kIdMembers.has(member) || kIdListMembers.has(member);
        if (is_object_id(id) || (named && is_written_as_id(id) && has_digit(id))) out_.add(id);
        return true;
    }

    JsonReader reader_;
    IdList& out_;
    std::string buffer_;
};

/// A member of an answer that holds ids of things, `id` and its kin.
bool tells_ids(std::string_view member) noexcept {
    return member == "id" || member.ends_with("_id") || member.ends_with("_ids") ||
           member.ends_with("_files");
}

class AnswerIds {
public:
    AnswerIds(std::string_view json, IdList& out) : reader_(json), out_(out) {}

    ObjectAnswer run() {
        ObjectAnswer answer;
        if (reader_.peek() != JsonKind::object) return answer;
        const bool whole = reader_.object([&](const JsonString& key) {
            if (key.raw == "data" && reader_.peek() == JsonKind::array) {
                answer.list = true;
                return value(key.raw, 0);
            }
            if (key.raw != "id" || reader_.peek() != JsonKind::string) return value(key.raw, 0);
            JsonString id;
            if (!reader_.string(id)) return false;
            if (is_written_as_id(id.raw)) answer.id = id.raw;
            return true;
        });
        if (!whole) answer.id = {};
        return answer;
    }

private:
    static constexpr int kDeepest = 16;

    bool value(std::string_view member, int depth) {
        if (depth > kDeepest || member == "metadata") return reader_.skip();
        switch (reader_.peek()) {
            case JsonKind::string: {
                JsonString text;
                if (!reader_.string(text)) return false;
                if (tells_ids(member) && is_object_id(text.raw)) out_.add(text.raw);
                return true;
            }
            case JsonKind::array:
                return reader_.array([&] { return value(member, depth + 1); });
            case JsonKind::object:
                return reader_.object([&](const JsonString& key) { return value(key.raw, depth + 1); });
            default:
                return reader_.skip();
        }
    }

    JsonReader reader_;
    IdList& out_;
};

}  // namespace

void IdList::add(std::string_view id) {
    // Twice the same is a waste, not a fault: so many are not worth a search.
    constexpr std::size_t few = 64;
    const auto known = view().first(std::min(size_, few));
    if (size_ == kMost) {
        overflows_ = true;
        return;
    }
    if (std::find(known.begin(), known.end(), id) != known.end()) return;
    if (size_ == ids_.size())
        ids_.emplace_back(id);
    else
        ids_[size_].assign(id);
    ++size_;
}

void IdList::add(const IdList& others) {
    for (const std::string& id : others.view()) add(id);
    overflows_ = overflows_ || others.overflows_;
}

bool is_object_id(std::string_view text) noexcept {
    return kind_of(text) != nullptr && is_written_as_id(text, kLeast);
}

ObjectPath read_object_path(std::string_view tail, IdList& out) {
    ObjectPath path;
    std::string buffer;
    bool first = true;
    while (!tail.empty()) {
        tail.remove_prefix(tail.starts_with('/') ? 1 : 0);
        const std::string_view raw = tail.substr(0, tail.find('/'));
        tail.remove_prefix(raw.size());
        if (raw.empty()) continue;
        const std::string_view segment = decode_segment(raw, buffer) ? std::string_view(buffer) : raw;
        if (first) {
            const std::string_view name = segment.substr(0, segment.find(';'));  // RFC 3986 §3.3, parameters
            path.known = kCollections.has(name);
            path.makes = path.known && !kAnswers.has(name);
            path.models = iequals(name, "models") || iequals(name, "deployments");
            first = false;
            continue;
        }
        // An id is what looks like one, or, where only an id can stand, what is no word.
        const bool id =
            !path.models && !kWords.has(segment) &&
            (is_object_id(segment) || (path.known && has_digit(segment) && is_written_as_id(segment)));
        path.ends_in_id = id;
        if (!id) continue;
        out.add(segment);
        ++path.ids;
    }
    return path;
}

void ids_in_query(std::string_view query, IdList& out) {
    std::string buffer;
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string_view raw = pair.substr(std::min(equals + 1, pair.size()));
        if (raw.empty() || !decode_segment(raw, buffer)) continue;
        const std::string_view name = pair.substr(0, equals);
        const bool cursor = name == "after" || name == "before";
        if (is_object_id(buffer) || (cursor && is_written_as_id(buffer) && has_digit(buffer)))
            out.add(buffer);
    }
}

void ids_in_request(std::string_view json, IdList& out) {
    RequestIds(json, out).run();
}

ObjectAnswer read_object_answer(std::string_view json, IdList& out) {
    return AnswerIds(json, out).run();
}

MissingObject missing_object(std::string_view id) {
    const Kind* const kind = kind_of(id);
    const Kind other{};
    const Kind& known = kind != nullptr ? *kind : other;
    std::string message(known.missing);
    message.replace(message.find("{}"), 2, id);
    return {std::move(message), known.code};
}

bool is_short_lived(std::string_view id) noexcept {
    return id.starts_with("resp_") || id.starts_with("chatcmpl-");
}

}  // namespace spillway::api
