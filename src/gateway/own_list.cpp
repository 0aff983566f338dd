#include "gateway/own_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/json_reader.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"

namespace spillway::gateway {
namespace {

/// A page is asked for with so many, if it says how many at all: some may be others'.
constexpr std::size_t kPage = 100;
/// Then it is enough, whatever the backend says.
constexpr std::size_t kMostPages = 1000;

/// The `id` of an object; empty: it has none.
std::string id_of(std::string_view json) {
    std::string out;
    api::JsonReader reader(json);
    if (reader.peek() != api::JsonKind::object) return out;
    const bool whole = reader.object([&](const api::JsonString& key) {
        if (key.raw != "id" || reader.peek() != api::JsonKind::string) return reader.skip();
        api::JsonString id;
        if (!reader.string(id)) return false;
        std::string buffer;
        out = id.text(buffer);
        return true;
    });
    return whole ? out : std::string();
}

}  // namespace

OwnList::OwnList(std::string_view query, std::vector<routing::BackendIndex> places,
                 std::optional<routing::BackendIndex> at, bool filters, bool strict)
    : places_(std::move(places)), filters_(filters), strict_(strict) {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const std::string_view name = pair.substr(0, pair.find('='));
        const std::string_view value = pair.substr(std::min(name.size() + 1, pair.size()));
        if (name == "after")
            after_ = value;
        else if (name == "before")
            before_ = value;
        else if (const auto number = parse_int<std::size_t>(value); name == "limit" && number)
            limit_ = number;
        else if (!pair.empty())
            others_.append(others_.empty() ? "" : "&").append(pair);
    }
    if (limit_ && *limit_ > 0) capacity_ = limit_;
    cursor_ = before_.empty() ? after_ : before_;
    if (at && !cursor_.empty()) {
        const auto found = std::ranges::find(places_, *at);
        if (found != places_.end()) place_ = static_cast<std::size_t>(found - places_.begin());
    }
    // What lies before a thing lies where it is.
    pinned_ = !before_.empty();
    done_ = places_.empty();
}

std::string OwnList::query() const {
    std::string out = others_;
    const auto add = [&](std::string_view name, std::string_view value) {
        out.append(out.empty() ? "" : "&").append(name).append("=").append(value);
    };
    if (limit_) add("limit", std::to_string(filters_ && *limit_ > 0 ? std::max(*limit_, kPage) : *limit_));
    if (!cursor_.empty()) add(before_.empty() ? "after" : "before", cursor_);
    return out;
}

void OwnList::page(std::string_view body) {
    page_ = {};
    ids_.clear();
    if (!read(body)) {
        if (!got_page_ && !strict_) whole_ = body;
        page_ = {};
        done_ = true;
        return;
    }
    // A backend that knows no cursors tells again what was seen.
    if (!cursor_.empty() && before_.empty()) {
        const auto seen = std::ranges::find(page_.items, cursor_, &Item::id);
        if (seen != page_.items.end()) {
            page_.items.erase(page_.items.begin(), seen + 1);
            page_.has_more = false;
        }
    }
    for (const Item& item : page_.items)
        if (!item.id.empty()) ids_.push_back(item.id);
}

bool OwnList::read(std::string_view body) {
    api::JsonReader reader(body);
    if (reader.peek() != api::JsonKind::object) return false;
    bool is_list = false;
    Envelope envelope;
    const bool whole = reader.object([&](const api::JsonString& key) {
        if (key.raw == "data" && reader.peek() == api::JsonKind::array) {
            is_list = true;
            return reader.array([&] {
                (void)reader.peek();
                const std::size_t begin = reader.offset();
                if (!reader.skip()) return false;
                Item& item = page_.items.emplace_back();
                item.json = body.substr(begin, reader.offset() - begin);
                item.id = id_of(item.json);
                return true;
            });
        }
        if (key.raw == "has_more" && reader.peek() == api::JsonKind::boolean) {
            envelope.has_flag = true;
            return reader.boolean(page_.has_more);
        }
        if (key.raw == "first_id" || key.raw == "last_id") {
            envelope.has_ids = true;
            return reader.skip();
        }
        (void)reader.peek();
        const std::size_t begin = reader.offset();
        if (!reader.skip()) return false;
        envelope.members.append("\"").append(key.raw).append("\":");
        envelope.members.append(body.substr(begin, reader.offset() - begin)).append(",");
        return true;
    });
    if (!whole || !is_list) return false;
    if (!got_page_) {
        envelope_ = std::move(envelope);
        // Of a page that its backend cut, the backend said how much fits.
        if (!capacity_ && page_.has_more && !page_.items.empty()) capacity_ = page_.items.size();
    }
    got_page_ = true;
    return true;
}

void OwnList::keep(std::span<const char> mine) {
    page_.told.clear();
    if (done_) return;
    std::vector<Item> kept;
    std::size_t next = 0;
    for (Item& item : page_.items)
        if (item.id.empty() ||
            (mine[next++] != 0 && std::ranges::find(items_, item.id, &Item::id) == items_.end())) {
            if (!item.id.empty()) (void)api::read_object_answer(item.json, page_.told);
            kept.push_back(std::move(item));
        }
    const std::string last = ids_.empty() ? std::string() : ids_.back();
    const std::string first = ids_.empty() ? std::string() : ids_.front();
    const bool backwards = !before_.empty();
    items_.insert(backwards ? items_.begin() : items_.end(), std::make_move_iterator(kept.begin()),
                  std::make_move_iterator(kept.end()));
    page_.items.clear();
    if (is_full()) {
        more_ = true;
        if (backwards)
            items_.erase(items_.begin(), items_.end() - static_cast<std::ptrdiff_t>(*capacity_));
        else
            items_.resize(*capacity_);
        done_ = true;
        return;
    }
    const std::string& cursor = backwards ? first : last;
    if (page_.has_more && !cursor.empty() && cursor != cursor_ && ++at_place_ < kMostPages)
        cursor_ = cursor;
    else
        next_place();
}

void OwnList::skip() {
    page_ = {};
    next_place();
}

void OwnList::next_place() noexcept {
    cursor_.clear();
    at_place_ = 0;
    if (pinned_ || ++place_ >= places_.size()) done_ = true;
}

std::string OwnList::result() const {
    if (!whole_.empty()) return whole_;
    std::string out =
        "{" + (got_page_ ? envelope_.members : std::string(R"("object":"list",)")) + R"("data":[)";
    for (std::size_t i = 0; i < items_.size(); ++i) out.append(i == 0 ? "" : ",").append(items_[i].json);
    out += "]";
    const auto add_id = [&](std::string_view name, const Item* item) {
        out.append(",\"").append(name).append("\":");
        if (item == nullptr || item->id.empty())
            out += "null";
        else
            append_json_string(out, item->id);
    };
    if (envelope_.has_ids || !got_page_) {
        add_id("first_id", items_.empty() ? nullptr : &items_.front());
        add_id("last_id", items_.empty() ? nullptr : &items_.back());
    }
    if (envelope_.has_flag || more_ || !got_page_)
        out.append(",\"has_more\":").append(more_ ? "true" : "false");
    return out + "}";
}

}  // namespace spillway::gateway
