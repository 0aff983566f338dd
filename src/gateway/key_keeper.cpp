#include "gateway/key_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/block_signals.hpp"
#include "base/strings.hpp"
#include "config/key_settings.hpp"
#include "gateway/books.hpp"

namespace spillway::gateway {
namespace {

constexpr std::chrono::milliseconds kLookEvery{200};
/// For a look that somebody waits for.
constexpr std::chrono::seconds kPatience{2};
/// Beyond all indices of configured clients.
constexpr std::uint32_t kFirstNumber = 0x4000'0000U;

}  // namespace

KeyKeeper::KeyKeeper(store::OpenKeys open, quota::ClientQuotas& quotas, Publish publish, Log log)
    : open_(std::move(open)), quotas_(quotas), publish_(std::move(publish)), log_(std::move(log)) {}

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
    publish(std::make_shared<const KeyRing>(secret_, std::vector<KeyEntry>(), true));
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
            log_(failing_ ? fmt::format("the store's keys cannot be read, those known stay in use: {}",
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
    auto used = publish_(ring);
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
    merge(*rows);
    version_ = *version;
    publish(build());
    return {};
}

void KeyKeeper::merge(const std::vector<store::KeyRow>& rows) {
    for (const store::KeyRow& row : rows) {
        Known& known = known_[row.id];
        known.macs = row.macs;
        known.client = row.revoked ? nullptr : client_of(row);
    }
}

std::shared_ptr<const KeyClient> KeyKeeper::client_of(const store::KeyRow& row) {
    const auto read = config::read_key_request(row.settings, {}, row.made);
    if (!read.value) {
        log_(fmt::format("the key {} cannot be used: {}", row.id, trim(config::to_string(read.problems))));
        return nullptr;
    }
    const config::KeySettings& settings = read.value->settings;
    auto client = std::make_shared<KeyClient>();
    client->id = row.id;
    client->expires = row.expires;
    client->rules = kKeyRules;
    client->own_rules = {settings.team, settings.deployments, {}};
    std::ranges::sort(client->own_rules.deployments);
    client->account = &quotas_.find_or_add(quota::SubjectKind::client, settings.client, {});
    client->held_account = quota::SubjectRef(client->account);
    if (settings.limits != config::QuotaConfig{})
        client->limits = quota::SubjectRef(
            &quotas_.find_or_add(quota::SubjectKind::key, row.id, to_limits(settings.limits), true));
    const auto number = static_cast<std::uint32_t>(kFirstNumber + numbers_.size());
    client->number = numbers_.try_emplace(settings.client, number).first->second;
    return client;
}

std::shared_ptr<const KeyRing> KeyKeeper::build() const {
    std::vector<KeyEntry> entries;
    for (const auto& [id, known] : known_) {
        if (!known.client) continue;
        for (const store::KeyMacRow& mac : known.macs) {
            std::optional<Wall> ends = mac.ends;
            if (known.client->expires)
                ends = ends ? std::min(*ends, *known.client->expires) : known.client->expires;
            entries.push_back({mac.mac, known.client, ends});
        }
    }
    return std::make_shared<const KeyRing>(secret_, std::move(entries), !known_.empty());
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
    {
        const std::lock_guard lock(store_mutex_);
        const auto store = opened();
        if (!store) return store.error();
        if (auto done = (*store)->put(rows); !done) {
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
