#pragma once
/// A list of things (GET /files, /batches …) that is a client's own, made of the resources' lists: what
/// others made is left out, and more pages are asked for until one is full, so that `limit`, `after`,
/// `has_more`, `first_id` and `last_id` mean what they always do. Where things lie on several resources, one
/// resource's follow another's. Decided without IO: it says which page to ask for, and is handed pages and
/// whose things are in them.
///
/// Paging as in the OpenAI API reference (`limit`, `after`, `before`, `order`).
/// Ownership: owns what it was handed. Thread rule: one thread. Errors: an answer that is no list is the
/// result as it came.
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/object_id.hpp"
#include "routing/backend_index.hpp"

namespace spillway::gateway {

class OwnList {
public:
    static constexpr std::size_t kMostPage = std::size_t{64} * 1024 * 1024;

    /// `query`: the request's. `places`: the backends to ask, in order. `at`: the one that has what `after`
    /// or `before` names, if that is known. `filters`: leave out what is others'.
    /// `strict`: what is no list that can be read shows nothing.
    OwnList(std::string_view query, std::vector<routing::BackendIndex> places,
            std::optional<routing::BackendIndex> at, bool filters, bool strict = false);

    /// Whether a page has to be asked for: of backend(), with query().
    [[nodiscard]] bool wants_page() const noexcept { return !done_; }
    [[nodiscard]] routing::BackendIndex backend() const noexcept { return places_[place_]; }
    [[nodiscard]] std::string query() const;
    /// An answer without fault.
    void page(std::string_view body);
    /// The ids of the things in it. What has none is kept.
    [[nodiscard]] const std::vector<std::string>& ids() const noexcept { return ids_; }
    /// Which of them are to be shown (not 0), in their order. After each page().
    void keep(std::span<const char> mine);
    /// The backend has no such list.
    void skip();
    /// Others are left to be asked, or have answered: one that has no such list does not matter.
    [[nodiscard]] bool has_more_places() const noexcept {
        return got_page_ || (!pinned_ && place_ + 1 < places_.size());
    }
    [[nodiscard]] bool filters() const noexcept { return filters_; }
    /// Ids that the kept things of the last page tell of (`output_file_id` …).
    [[nodiscard]] const api::IdList& told() const noexcept { return page_.told; }

    [[nodiscard]] std::string result() const;

private:
    struct Item {
        std::string id;    ///< empty: it has none
        std::string json;  ///< as it came
    };
    [[nodiscard]] bool read(std::string_view body);
    void next_place() noexcept;
    [[nodiscard]] bool is_full() const noexcept { return capacity_ && items_.size() > *capacity_; }

    std::string others_;  ///< of the query
    std::string after_;
    std::string before_;
    std::optional<std::size_t> limit_;
    const std::vector<routing::BackendIndex> places_;
    const bool filters_;
    const bool strict_;
    bool pinned_ = false;  ///< the cursor's place alone
    std::size_t place_ = 0;
    std::string cursor_;        ///< the next page's `after` or `before`
    std::size_t at_place_ = 0;  ///< pages of the place so far
    bool done_ = false;
    bool got_page_ = false;
    bool more_ = false;                    ///< there are further things of one's own
    std::optional<std::size_t> capacity_;  ///< of the result; nothing: not known yet, or all
    struct Page {
        std::vector<Item> items;
        bool has_more = false;
        api::IdList told;
    };
    Page page_;
    std::vector<std::string> ids_;  ///< of the page
    std::string whole_;             ///< an answer that is no list
    std::vector<Item> items_;       ///< what is shown
    /// What the first page has besides.
    struct Envelope {
        std::string members;    ///< each with a comma behind it
        bool has_ids = false;   ///< first_id or last_id
        bool has_flag = false;  ///< has_more
    };
    Envelope envelope_;
};

}  // namespace spillway::gateway
