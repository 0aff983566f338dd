#include <algorithm>

#include "api/request_scan.hpp"
#include "base/json.hpp"

namespace spillway::api {
namespace {

/// Text that takes the place of `length` bytes at `offset`; its own text lies in the scratch.
struct Edit {
    std::size_t offset = 0;
    std::size_t length = 0;
    std::size_t text_begin = 0;
    std::size_t text_length = 0;
};

class Edits {
public:
    explicit Edits(std::string& scratch) : scratch_(scratch) { scratch_.clear(); }

    /// Begins an edit; what is appended to the scratch until the next is its text.
    void begin(std::size_t offset, std::size_t length) {
        close();
        list_.push_back({offset, length, scratch_.size(), 0});
    }

    [[nodiscard]] BodyPieces apply(std::string_view body) {
        close();
        // At most two: what is inserted comes first, what is replaced in the order it was looked at.
        if (list_.size() == 2 && list_[1].offset < list_[0].offset) std::swap(list_[0], list_[1]);
        const std::string_view texts = scratch_;
        BodyPieces pieces;
        std::size_t at = 0;
        const auto add = [&pieces](std::string_view piece) {
            if (!piece.empty()) pieces.push_back(piece);
        };
        for (const Edit& e : list_) {
            add(body.substr(at, e.offset - at));
            add(texts.substr(e.text_begin, e.text_length));
            at = e.offset + e.length;
        }
        add(body.substr(at));
        return pieces;
    }

private:
    void close() noexcept {
        if (!list_.empty()) list_.back().text_length = scratch_.size() - list_.back().text_begin;
    }

    std::string& scratch_;
    boost::container::small_vector<Edit, 2> list_;
};

}  // namespace

BodyPieces edited(std::string_view body, const RequestScan& scan, std::string_view new_model,
                  bool add_include_usage, std::string& scratch) {
    Edits edits(scratch);
    const bool insert_model = !new_model.empty() && !scan.model_span.present();
    const bool insert_options = add_include_usage && !scan.stream_options_span.present();
    if (insert_model || insert_options) {
        edits.begin(scan.object_begin, 0);
        if (insert_model) {
            scratch.append(R"("model":)");
            append_json_string(scratch, new_model);
        }
        if (insert_model && insert_options) scratch.push_back(',');
        if (insert_options) scratch.append(R"("stream_options":{"include_usage":true})");
        if (!scan.empty_object) scratch.push_back(',');
    }
    if (!new_model.empty() && scan.model_span.present() && scan.model != new_model) {
        edits.begin(scan.model_span.offset, scan.model_span.length);
        append_json_string(scratch, new_model);
    }
    if (add_include_usage && scan.stream_options_span.present() && !scan.include_usage) {
        const Span& options = scan.stream_options_span;
        if (scan.include_usage_span.present()) {
            edits.begin(scan.include_usage_span.offset, scan.include_usage_span.length);
            scratch.append("true");
        } else if (scan.options_is_object) {
            edits.begin(options.offset + options.length, 0);
            scratch.append(R"("include_usage":true)").append(scan.options_is_empty ? "" : ",");
        } else if (body.substr(options.offset, options.length) == "null") {
            edits.begin(options.offset, options.length);
            scratch.append(R"({"include_usage":true})");
        }
    }
    return edits.apply(body);
}

std::size_t total_size(const BodyPieces& pieces) noexcept {
    std::size_t size = 0;
    for (const std::string_view piece : pieces) size += piece.size();
    return size;
}

}  // namespace spillway::api
