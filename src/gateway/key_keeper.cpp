#include "gateway/key_keeper.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>

#include "base/block_signals.hpp"
#include "base/packed_heap.hpp"
#include "base/strings.hpp"
#include "gateway/books.hpp"
#include "gateway/stored_key.hpp"

namespace spillway::gateway {
namespace {

constexpr std::chrono::milliseconds kLookEvery{200};
/// For a look that somebody waits for.
constexpr std::chrono::seconds kPatience{2};
constexpr std::size_t kMany = 10'000;

}  // namespace

KeyKeeper::KeyKeeper(store::OpenKeys open, quota::ClientQuotas& quotas, Publish publish, Log log,
                     Follow follow)
    : open_(std::move(open)), quotas_(quotas), told_{std::move(publish), std::move(log), std::move(follow)} {}

KeyKeeper::~KeyKeeper() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

Result<void> KeyKeeper::read_first() {
    return look();
}

void KeyKeeper::go_on_unread() {
    version_ = -1;  // whatever the store's is, it is another
    publish(std::make_shared<const KeyRing>(secret_, quotas_, KeyRing::Keys(), true));
    failing_ = true;  // which the caller has said
}

void KeyKeeper::start() {
    thread_ = std::thread([this] { run(); });
}

void KeyKeeper::run() {
    block_signals();
    std::unique_lock lock(mutex_);
    while (!stop_) {
        const std::uint64_t wanted = wanted_;
        lock.unlock();
        const auto looked = look();
        if (!looked != failing_) {
            failing_ = !looked;
            told_.log(failing_ ? fmt::format("the store's keys cannot be read, those known stay in use: {}",
                                             looked.error().message)
                               : std::string("the store's keys can be read again"));
        }
        if (!rings_.empty() && rings_.back().used.valid()) (void)rings_.back().used.wait_for(kPatience);
        // What no worker uses any more goes here.
        const KeyRing* const last = rings_.empty() ? nullptr : rings_.back().ring.get();
        std::erase_if(rings_, [&](const Published& one) {
            return one.ring.get() != last && one.ring.use_count() == 1;
        });
        lock.lock();
        looked_ = wanted;
        done_.notify_all();
        wake_.wait_for(lock, kLookEvery, [&] { return stop_ || wanted_ != looked_; });
    }
}

void KeyKeeper::publish(std::shared_ptr<const KeyRing> ring) {
    auto used = told_.publish(ring);
    rings_.push_back({std::move(ring), std::move(used)});
}

Result<void> KeyKeeper::look() {
    if (!watched_) {
        auto opened = open_(false);
        if (!opened) return opened.error();
        if (!*opened) return {};  // there is no store yet
        auto secret = (*opened)->secret();
        if (!secret) return secret.error();
        secret_ = *secret;
        watched_ = std::move(*opened);
    }
    const auto fail_with = [&](Error error) {
        watched_.reset();
        return error;
    };
    const auto version = watched_->version();
    if (!version) return fail_with(version.error());
    if (*version == version_) return {};
    const auto rows = watched_->changed_since(version_);
    if (!rows) return fail_with(rows.error());
    const auto modes = watched_->modes_changed_since(version_);
    if (!modes) return fail_with(modes.error());
    const bool unread = version_ < 0;
    version_ = *version;
    if (!modes->empty() && told_.follow) told_.follow(*modes);
    if (rows->empty() && !unread) return {};
    merge(*rows);
    publish(build());
    if (rows->size() >= kMany) ::malloc_trim(0);  // what reading them took goes back to the system
    return {};
}

void KeyKeeper::merge(const std::vector<store::KeyRow>& rows) {
    for (const store::KeyRow& row : rows) {
        known_.any_made = true;
        if (const auto before = known_.in_use.find(row.id); before != known_.in_use.end())
            known_.in_use.erase(before);
        auto key = row.revoked ? nullptr : key_of(row);
        quota::Subject* const limited = quotas_.find(quota::SubjectKind::key, row.id);
        if (key == nullptr || !key->own_limits)
            quotas_.release(limited);
        else if (limited != nullptr)
            (void)quotas_.key(row.id, key->own_limits.get());  // in use: the new ones count at once
        if (key) known_.in_use.insert(std::move(key));
    }
}

std::shared_ptr<MadeKey> KeyKeeper::key_of(const store::KeyRow& row) {
    auto read = read_stored_settings(row.settings);
    if (!read.value) {
        told_.log(
            fmt::format("the key {} cannot be used: {}", row.id, trim(config::to_string(read.problems))));
        return nullptr;
    }
    config::KeySettings& settings = *read.value;
    auto key = std::allocate_shared<MadeKey>(std::pmr::polymorphic_allocator<MadeKey>(packed_heap()));
    if (!settings.team.empty() || !settings.deployments.empty()) {
        ClientRules rules{std::move(settings.team), std::move(settings.deployments), {}};
        std::ranges::sort(rules.deployments);
        key->own_rules = std::make_unique<const ClientRules>(std::move(rules));
    }
    const auto number = static_cast<std::uint32_t>(known_.numbers.size());
    key->number = known_.numbers.try_emplace(settings.client, number).first->second;
    key->id = row.id;
    key->client = std::move(settings.client);
    if (settings.limits != config::QuotaConfig{})
        key->own_limits = std::make_unique<const quota::SubjectLimits>(to_limits(settings.limits));
    key->expires = row.expires;
    key->macs = row.macs;
    return key;
}

std::shared_ptr<const KeyRing> KeyKeeper::build() const {
    return std::make_shared<const KeyRing>(
        secret_, quotas_, KeyRing::Keys(known_.in_use.begin(), known_.in_use.end()), known_.any_made,
        rings_.empty() ? nullptr : rings_.back().ring.get());
}

Result<store::KeyStore*> KeyKeeper::opened() {
    if (store_) return store_.get();
    auto opened = open_(true);
    if (!opened) return opened.error();
    store_ = std::move(*opened);
    return store_.get();
}

Result<std::vector<store::KeyRow>> KeyKeeper::list() {
    const std::lock_guard lock(store_mutex_);
    const auto store = opened();
    if (!store) return store.error();
    auto rows = (*store)->changed_since(-1);
    if (rows)
        std::ranges::sort(*rows, {}, [](const store::KeyRow& row) { return std::pair(row.made, row.id); });
    return rows;
}

Result<std::optional<store::KeyRow>> KeyKeeper::find(std::string_view id) {
    const std::lock_guard lock(store_mutex_);
    const auto store = opened();
    if (!store) return store.error();
    return (*store)->find(id);
}

Result<store::Mac> KeyKeeper::secret() {
    const std::lock_guard lock(store_mutex_);
    const auto store = opened();
    if (!store) return store.error();
    return (*store)->secret();
}

Result<void> KeyKeeper::put(const std::vector<store::KeyRow>& rows) {
    return change([&](store::KeyStore& store) { return store.put(rows); });
}

Result<void> KeyKeeper::put_mode(const store::ModeRow& row) {
    return change([&](store::KeyStore& store) { return store.put_mode(row); });
}

Result<void> KeyKeeper::change(const Change& change) {
    {
        const std::lock_guard lock(store_mutex_);
        const auto store = opened();
        if (!store) return store.error();
        if (auto done = change(**store); !done) {
            store_.reset();
            return done;
        }
    }
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = ++wanted_;
    wake_.notify_one();
    (void)done_.wait_for(lock, kPatience, [&] { return looked_ >= mine || stop_; });
    return {};
}

}  // namespace spillway::gateway
