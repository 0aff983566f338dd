#include "store/object_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/block_signals.hpp"

namespace spillway::store {
namespace {

using What = ObjectChange::What;
/// Of changes that wait in one slot.
constexpr std::size_t kMostWaiting = 100'000;
constexpr auto kExpireEvery = std::chrono::seconds(10);
constexpr auto kLookEvery = std::chrono::seconds(1);

/// A change with its texts in an arena: id, client, team.
struct Waiting {
    What what = What::made;
    ResourceNumber resource = 0;
    std::array<std::uint32_t, 3> lengths{};
    std::optional<Wall> expires;
};

struct Batch {
    std::vector<Waiting> changes;
    std::string text;

    void clear() noexcept {
        changes.clear();
        text.clear();
    }
};

}  // namespace

struct ObjectDirectory::Slot {
    Slot(std::atomic<std::uint64_t>& learnt, std::atomic<std::uint64_t>& dropped)
        : learnt_changes(learnt), dropped_changes(dropped) {}

    void add(What what, std::string_view id, ResourceNumber resource, const Owner& owner,
             std::optional<Wall> expires = std::nullopt) {
        const std::lock_guard lock(mutex);
        if (filling.changes.size() >= kMostWaiting) {
            dropped_changes.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        learnt_changes.fetch_add(1);
        Waiting& change = filling.changes.emplace_back();
        change.what = what;
        change.resource = resource;
        change.expires = expires;
        const std::array<std::string_view, 3> texts{id, owner.client, owner.team};
        for (std::size_t i = 0; i < texts.size(); ++i) {
            change.lengths[i] = static_cast<std::uint32_t>(texts[i].size());
            filling.text.append(texts[i]);
        }
    }

    std::atomic<std::uint64_t>& learnt_changes;
    std::atomic<std::uint64_t>& dropped_changes;
    std::mutex mutex;
    Batch filling;   ///< under mutex
    Batch draining;  ///< the directory's thread only; kept until it is written
};

Result<void> ObjectDirectory::persist(OpenObjects open, Absent absent, Log log) {
    open_ = std::move(open);
    log_ = std::move(log);
    if (auto read = read_places(); !read) {
        if (absent == Absent::error) {
            open_ = nullptr;
            return read.error();
        }
        if (log_) log_(fmt::format("the store cannot be read, it is tried again: {}", read.error().message));
    }
    thread_ = std::thread([this] { write_on(); });
    return {};
}

void ObjectDirectory::close() {
    stop_reading();
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

ResourceNumber ObjectDirectory::resource(std::string_view name) {
    constexpr std::size_t most = 0xffff;
    const std::lock_guard lock(names_mutex_);
    const auto known = std::find(names_.begin(), names_.end(), name);
    if (known != names_.end()) return static_cast<ResourceNumber>(known - names_.begin() + 1);
    if (names_.size() == most) return 0;
    names_.emplace_back(name);
    return static_cast<ResourceNumber>(names_.size());
}

std::string ObjectDirectory::resource_name(ResourceNumber number) const {
    const std::lock_guard lock(names_mutex_);
    return number == 0 || number > names_.size() ? std::string() : names_[number - 1U];
}

Task<Result<ObjectDirectory::Found>> ObjectDirectory::look_up(std::vector<std::string> ids) {
    if (!persistent()) co_return Found(ids.size());
    co_return co_await run_on(readers_, [this, ids = std::move(ids)] { return read(ids); });
}

Result<ObjectStore*> ObjectDirectory::reader() {
    if (reader_) return reader_.get();
    auto opened = open_(false);
    if (!opened) {
        failures_.fetch_add(1);
        return opened.error();
    }
    reader_ = std::move(*opened);
    return reader_.get();
}

Error ObjectDirectory::unread(Error why) {
    failures_.fetch_add(1);
    reader_.reset();
    return why;
}

Result<ObjectDirectory::Rows> ObjectDirectory::rows_of(const std::vector<std::string>& ids) {
    const auto store = reader();
    if (!store) return store.error();
    if (*store == nullptr) return Rows(ids.size());  // nothing was ever kept
    auto rows = (*store)->find(ids);
    if (!rows) return unread(rows.error());
    return rows;
}

Result<ObjectDirectory::Found> ObjectDirectory::read(const std::vector<std::string>& ids) {
    Found out(ids.size());
    auto rows = rows_of(ids);
    if (!rows) return rows.error();
    if (std::find(rows->begin(), rows->end(), std::nullopt) != rows->end() && learnt_ != written_ &&
        !failing_) {
        sync();  // whose it is may be on its way
        rows = rows_of(ids);
        if (!rows) return rows.error();
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& row = (*rows)[i];
        if (!row) continue;
        out[i] = ObjectPlace{resource(row->resource), hash_owner(row->owner.client, row->owner.team)};
        table_.put(ids[i], *out[i]);
    }
    return out;
}

Result<void> ObjectDirectory::read_places() {
    const auto store = reader();
    if (!store) return store.error();
    if (*store == nullptr) return {};
    const auto places = (*store)->places(last_place_);
    if (!places) return unread(places.error());
    for (const PlaceRow& row : *places) {
        (void)add_place(hash_owner(row.owner.client, row.owner.team), resource(row.resource));
        last_place_ = row.number;
    }
    return {};
}

/// What other processes on the same store have learnt since; without haste, and one look at a time.
void ObjectDirectory::look_at_places() {
    if (looking_.exchange(true)) return;
    readers_.submit([this] {
        static_cast<void>(read_places());  // a failure is counted
        looking_.store(false);
    });
}

std::vector<ResourceNumber> ObjectDirectory::places(OwnerHash owner) const {
    const std::lock_guard lock(places_mutex_);
    const auto found = places_.find(owner);
    return found == places_.end() ? std::vector<ResourceNumber>() : found->second;
}

bool ObjectDirectory::add_place(OwnerHash owner, ResourceNumber resource) {
    const std::lock_guard lock(places_mutex_);
    auto& places = places_[owner];
    if (std::find(places.begin(), places.end(), resource) != places.end()) return false;
    places.push_back(resource);
    return true;
}

ObjectDirectory::Writer ObjectDirectory::make_writer() {
    auto slot = std::make_shared<Slot>(learnt_, dropped_);
    const std::lock_guard lock(mutex_);
    slots_.push_back(slot);
    return {*this, std::move(slot)};
}

void ObjectDirectory::sync() {
    if (!persistent()) return;
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = ++sync_wanted_;
    wake_.notify_one();
    done_.wait(lock, [&] { return sync_done_ >= mine; });
}

void ObjectDirectory::write_on() {
    block_signals();
    Mono expire_at = mono_now();
    Mono look_at = mono_now() + kLookEvery;
    std::unique_lock lock(mutex_);
    for (bool last = false; !last;) {
        const auto next = std::chrono::steady_clock::now() + kInterval;
        last = stop_;
        const std::uint64_t sync = sync_wanted_;
        lock.unlock();
        told(write_slots());
        if (writer_ && mono_now() >= expire_at) {
            expire_at = mono_now() + kExpireEvery;
            told(writer_->expire(wall_now()));
        }
        if (mono_now() >= look_at) {
            look_at = mono_now() + kLookEvery;
            look_at_places();
        }
        lock.lock();
        sync_done_ = sync;
        done_.notify_all();
        if (!last) wake_.wait_until(lock, next, [&] { return stop_ || sync_wanted_ != sync_done_; });
    }
}

/// Says once that it fails, and once that it does no more.
void ObjectDirectory::told(const Result<void>& result) {
    if (!result) failures_.fetch_add(1);
    if (!result == failing_) return;
    failing_ = !result;
    if (!log_) return;
    log_(failing_ ? fmt::format("the store cannot be written: {}", result.error().message)
                  : std::string("the store can be written again"));
}

Result<void> ObjectDirectory::write_slots() {
    std::vector<std::shared_ptr<Slot>> slots;
    {
        const std::lock_guard lock(mutex_);
        slots = slots_;
    }
    std::vector<ObjectChange> changes;
    std::deque<std::string> names;  // of resources
    for (const auto& slot : slots) {
        if (slot->draining.changes.empty()) {
            const std::lock_guard lock(slot->mutex);
            std::swap(slot->filling, slot->draining);
        }
        std::string_view text = slot->draining.text;
        const auto next = [&](std::uint32_t length) {
            const std::string_view out = text.substr(0, length);
            text.remove_prefix(length);
            return out;
        };
        for (const Waiting& waiting : slot->draining.changes) {
            ObjectChange& change = changes.emplace_back();
            change.what = waiting.what;
            change.id = next(waiting.lengths[0]);
            change.client = next(waiting.lengths[1]);
            change.team = next(waiting.lengths[2]);
            change.expires = waiting.expires;
            if (waiting.resource != 0) change.resource = names.emplace_back(resource_name(waiting.resource));
        }
    }
    if (changes.empty()) return {};
    if (!writer_) {
        auto opened = open_(true);
        if (!opened) return opened.error();
        writer_ = std::move(*opened);
    }
    if (auto written = writer_->write(changes); !written) {
        writer_.reset();
        return written;
    }
    written_.fetch_add(changes.size());
    for (const auto& slot : slots) slot->draining.clear();
    return {};
}

void ObjectDirectory::Writer::made(std::string_view id, ResourceNumber resource, const Owner& owner,
                                   std::optional<Wall> expires) {
    directory_->table_.put(id, {resource, owner.hash});
    if (directory_->persistent()) slot_->add(What::made, id, resource, owner, expires);
}

void ObjectDirectory::Writer::found(std::string_view id, ResourceNumber resource, const Owner& owner) {
    const auto known = directory_->find(id);
    if (known && known->owner != 0) return;
    if (directory_->persistent()) slot_->add(What::found, id, resource, owner);
    // A store may know better, and memory learns it from there, if it can be written.
    if (!directory_->persistent() || directory_->failing_) directory_->table_.put(id, {resource, owner.hash});
}

void ObjectDirectory::Writer::seen(std::string_view id, ResourceNumber resource) {
    const auto known = directory_->find(id);
    if (!known || known->owner == 0) directory_->table_.put(id, {resource, 0});
}

void ObjectDirectory::Writer::gone(std::string_view id) {
    directory_->table_.erase(id);
    if (directory_->persistent()) slot_->add(What::gone, id, 0, {});
}

void ObjectDirectory::Writer::keeps_at(const Owner& owner, ResourceNumber resource) {
    if (directory_->add_place(owner.hash, resource) && directory_->persistent())
        slot_->add(What::place, {}, resource, owner);
}

}  // namespace spillway::store
