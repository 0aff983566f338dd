#pragma once
/// The ids of things that live on one resource (a stored response, a file, a batch …): where a request names
/// them, and where an answer tells them.
///
/// A thing is known by how its id begins, or by the place of its id in a path. Ids are compared as the
/// service would read them: escapes of JSON and of paths are undone first. Sources: OpenAI API reference,
/// Azure OpenAI REST API reference (`assistant-…` files, `task_…` video jobs). Ownership: an IdList owns its
/// texts. Thread rule: free functions, safe everywhere. Errors: what is no JSON names nothing.
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::api {

/// Ids, each once as long as they are few. Keeps the memory of its texts when it is cleared.
class IdList {
public:
    /// More are not taken up: no request of the API has use for them (a batch of files has 2,000 at most).
    static constexpr std::size_t kMost = 4096;

    void add(std::string_view id);
    void add(const IdList& others);
    void clear() noexcept {
        size_ = 0;
        overflows_ = false;
    }
    [[nodiscard]] bool overflows() const noexcept { return overflows_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::span<const std::string> view() const noexcept { return {ids_.data(), size_}; }

private:
    std::vector<std::string> ids_;
    std::size_t size_ = 0;
    bool overflows_ = false;
};

/// Whether it begins, and is written, as such an id.
[[nodiscard]] bool is_object_id(std::string_view text) noexcept;

/// What a path behind the surface's prefix says of things.
struct ObjectPath {
    bool known = false;       ///< it begins with a collection that is known: /files, /vector_stores …
    bool makes = false;       ///< … and a POST there makes a thing, not an answer
    bool models = false;      ///< models and deployments: what they have are names
    bool ends_in_id = false;  ///< it is one thing, not a list in it nor a verb
    std::size_t ids = 0;      ///< how many it names
};
/// Adds the ids in `tail` to `out`.
ObjectPath read_object_path(std::string_view tail, IdList& out);
/// Adds what the values of a query are if they look like ids, and those of `after` and `before`.
void ids_in_query(std::string_view query, IdList& out);
/// Adds the ids that a JSON text names: members that are known to hold some, and other strings that look like
/// one, but for texts and metadata.
void ids_in_request(std::string_view json, IdList& out);
/// Adds the values of a multipart form's fields that look like ids, whatever they are called.
void ids_in_form(std::string_view body, std::string_view content_type, IdList& out);

/// What an answer's object is, and what else it tells of.
struct ObjectAnswer {
    std::string_view id;  ///< its own; empty: none, or not as an id is written
    bool list = false;    ///< it has a list in `data`
};
/// Adds the ids of things that belong to the answer's own (`thread_id`, `output_file_id`, `result_files` …).
ObjectAnswer read_object_answer(std::string_view json, IdList& out);

/// What the service says if there is no such thing, in its own words; `code` may be empty.
struct MissingObject {
    std::string message;
    std::string_view code;
};
[[nodiscard]] MissingObject missing_object(std::string_view id);

/// How long such a thing is kept by the service at most; stored responses and chats go by themselves.
[[nodiscard]] bool is_short_lived(std::string_view id) noexcept;

}  // namespace spillway::api
