#include "gateway/request.hpp"

#include <boost/container/small_vector.hpp>

#include "base/idle_turn.hpp"
#include "gateway/head_refusal.hpp"
#include "gateway/limit_refusal.hpp"
#include "gateway/models_list.hpp"
#include "gateway/own_list.hpp"
#include "gateway/pending_work.hpp"
#include "gateway/placement.hpp"
#include "gateway/warmup.hpp"

namespace spillway::gateway {

namespace {

/// A burst may be faster than the leases that pay for it: it waits this often and long for the next one.
constexpr int kLeaseTries = 4;
constexpr Duration kLeaseWait = std::chrono::milliseconds(25);
/// What a client is told that finds no memory for its body.
constexpr Duration kMemoryWait = std::chrono::seconds(1);
/// Another gateway, or this one's successor, can be asked at once.
constexpr Duration kRetryElsewhere = std::chrono::milliseconds(500);

/// What a resource says that has no such list.
bool is_without(unsigned status) noexcept {
    return status == 400 || status == 403 || status == 404 || status == 405 || status == 501;
}

identity::ClientKeys::Presented presented_key(const Upstreams& upstreams, const http::RequestHead& head,
                                              identity::KeyHasher& hasher) {
    const auto key = upstreams.snapshot->clients.presented_key(head, hasher, upstreams.made_keys != nullptr);
    warmup::key(upstreams, key);
    return key;
}

}  // namespace

Request::Request(Worker& worker, http::Exchange& exchange, UpstreamPort& upstream, RequestMemory& memory)
    : worker_(worker),
      exchange_(exchange),
      upstreams_(worker.upstreams()),
      key_(presented_key(*upstreams_, exchange.request(), worker.hasher)),
      clock_(exchange.received_at(), mono_now(), wall_now()),
      asked_(memory.asked),
      admission_(upstreams_->snapshot->clients, worker.books.quotas, worker.users),
      downstream_(exchange, config(), asked_, admission_.subjects(), report_, clock_),
      deadline_([this] {
          late_ = true;
          cancel();
      }),
      parts_{worker,      *upstreams_,
             exchange,    upstream,
             asked_,      memory.upstream_request,
             report_,     clock_,
             downstream_, admission_.subjects(),
             late_,       deadline_} {
    upstreams_->metrics.in_flight.inc();
    worker_.note(*this);
}

Request::~Request() {
    upstreams_->metrics.in_flight.dec();
}

void Request::cancel() noexcept {
    pause_.cancel();
    if (attempt_) attempt_->cancel();
}

Task<void> Request::run() {
    const http::RequestHead& head = exchange_.request();
    if (is_probe(head.target)) {
        const http::Field type{"content-type", "text/plain"};
        (void)co_await exchange_.respond(200, {&type, 1}, "ok\n");
        co_return;
    }
    if (is_preflight(head))
        if (const std::string fields = preflight_fields(head, config().cors); !fields.empty()) {
            exchange_.start(204, fields, std::nullopt);
            (void)co_await exchange_.finish();
            co_return;
        }
    const Upstreams::MadeKeys& made_keys = upstreams_->made_keys;
    const KeyRing* const ring = made_keys ? made_keys->get() : nullptr;
    const ShownKey shown = upstreams_->snapshot->clients.look_up(key_, clock_.began(), ring);
    if (shown.holder != nullptr) warmup::client(*shown.holder);
    assign_request_id(asked_.id, head.fields.get("x-request-id"), worker_.rng);
    Intake intake(*upstreams_->snapshot, worker_.books.histories, worker_.scanner, asked_);
    http::PeerCertificate* const certificate = exchange_.peer_certificate();
    std::optional<Refusal> no =
        intake.identify(head, exchange_.peer(), shown, clock_.began(), ring, certificate);
    // A new connection may bring a better one: whose time is not over, or that is somebody's.
    if (certificate != nullptr && (asked_.client == nullptr || certificate->ends <= clock_.now().wall))
        exchange_.end_connection();
    if (asked_.client != nullptr && is_key(*asked_.client)) made_keys_ = made_keys;
    Ending ending = Ending::unauthorized;
    if (asked_.client != nullptr) {
        asked_.account = asked_.client->account;
        warmup::accounts(*upstreams_, *asked_.client);
        ending = Ending::refused;
    }
    exchange_.on_gone([this] { cancel(); });
    if (!no && exchange_.body_due()) {
        if (auto head_no = refuse_by_head(*upstreams_->snapshot, worker_.busy.clients, worker_.busy.bodies,
                                          asked_, clock_.now())) {
            no = std::move(head_no->why);
            ending = head_no->ending;
        }
    }
    if (!no && exchange_.body_due()) no = co_await read_body();
    TimerWheel::of(exchange_.loop()).arm(deadline_, config().limits.request_timeout);
    if (!no) no = intake.read(head, exchange_.body());
    if (!no) {
        warmup::windows(*asked_.client, clock_.now());
        no = intake.understand(head, exchange_.body(), clock_.now());
    }
    if (!no && needs_place(asked_, head.method))
        no = co_await find_place(*upstreams_->snapshot, worker_.books.objects, asked_);
    std::optional<std::string> models;
    if (!no && asks_for_models(asked_, head.method))
        models = models_list(*upstreams_->snapshot, *asked_.client);
    else if (!no)
        models = model_entry(*upstreams_->snapshot, *asked_.client, asked_, head.method);
    if (models) {
        report_.status = 200;
        co_await downstream_.answer(*models);
    } else if (exchange_.client_gone() && exchange_.body_due()) {
        report_.ending = worker_.ending() ? Ending::shutdown : Ending::client_left;
        report_.status = 499;
    } else if (no) {
        co_await refuse(ending, *no);
    } else {
        quota::Refusal why;
        const bool may = co_await admit(why);
        if (may && is_listing(asked_, head.method, *upstreams_->snapshot))
            co_await serve_list();
        else if (may)
            co_await serve();
        else
            co_await refuse(Ending::limited, limit_refusal(why, clock_.now().wall));
    }
    const auto charged = settle();
    IdleTurn idle(worker_.poller());
    while (!idle.over()) co_await idle.wait();
    leave_record(charged);
}

Task<std::optional<Refusal>> Request::read_body() {
    const ComingBodies::Place coming = worker_.busy.bodies.begin(clock_.mono());
    const http::BodyFault fault = co_await exchange_.read_body();
    clock_.read();
    if (fault == http::BodyFault::none) co_return std::nullopt;
    const http::BodyRefusal why = http::explain(fault);
    Refusal out{.status = why.status, .message = std::string(why.message), .code = why.code};
    if (fault == http::BodyFault::no_memory) {
        out.type = "server_error";
        out.retry_in = kMemoryWait;
    }
    co_return out;
}

Task<void> Request::refuse(Ending ending, const Refusal& why) {
    report_.ending = ending;
    co_await downstream_.refuse(why);
}

Task<bool> Request::admit(quota::Refusal& why) {
    bool may = admission_.reserve(asked_, clock_.now(), why);
    // Where limits are shared, the next lease may have room.
    for (int tries = 0; !may && why.lease_short && tries < kLeaseTries && !parts_.over(); ++tries) {
        co_await pause_.wait(exchange_.loop(), kLeaseWait);
        clock_.read();
        may = admission_.reserve(asked_, clock_.now(), why);
    }
    co_return may;
}

/// Asks one backend after the other until one answers, or nothing is left to be tried.
Task<void> Request::serve() {
    if (asked_.scan.stream && asked_.operation().events != api::StreamEvents::opaque)
        downstream_.begin_heartbeats();
    RetryMachine retry(config().max_attempts(), config().retry.max_wait, config().retry.on_timeout);
    routing::Choice last;
    const bool answered = co_await try_backends(retry, last);
    if (!answered) co_await refuse_for_want_of_backends(retry, last);
}

Task<void> Request::refuse_for_want_of_backends(const RetryMachine& retry, const routing::Choice& last) {
    if (exchange_.client_gone()) {
        report_.ending = Ending::client_left;
        report_.status = 499;
    } else if (worker_.ending()) {
        co_await refuse(Ending::shutdown, {.status = 503,
                                           .message = "The gateway is shutting down. Please retry.",
                                           .type = "server_error",
                                           .code = "shutting_down",
                                           .retry_in = kRetryElsewhere});
    } else if (late_) {
        co_await refuse(Ending::timeout, {.status = 504,
                                          .message = "No backend answered in time.",
                                          .type = "server_error",
                                          .code = "timeout",
                                          .final = true});
    } else {
        const Refusal why = no_backend_left(report_, last, asked_, retry.pause());
        co_await refuse(ending_of(why), why);
    }
}

Task<bool> Request::try_backends(RetryMachine& retry, routing::Choice& last) {
    routing::Router& router = *upstreams_->snapshot->router;
    router.request_came();
    worker_.busy.clients.asked(asked_.account, asked_.deployment_ref, clock_.mono());
    auto& flight = asked_.account->in_flight();
    const std::uint64_t known_by = router.has_suspects(clock_.mono()) ? parts_.fingerprint() : 0;
    while (!parts_.over()) {
        last = router.pick(
            {.deployment = asked_.deployment_ref,
             .operation = static_cast<routing::OperationIndex>(api::operation_index(asked_.operation())),
             .tokens = asked_.estimate.charge,
             .tried = retry.tried(),
             .pinned = asked_.affinity.pinned,
             .affinity = asked_.affinity.prefix,
             .subset_key = worker_.subset_key,
             .fingerprint = known_by,
             .client = reinterpret_cast<std::uintptr_t>(asked_.account),
             .held =
                 static_cast<std::uint32_t>(std::max<std::int64_t>(flight.used_here(clock_.now()) - 1, 0))},
            clock_.mono(), worker_.rng);
        report_.avoided += last.avoided;
        report_.spilled = last.lease.spilled;
        if (!last.found() && asked_.affinity.preferred && asked_.affinity.pinned) {
            asked_.affinity.pinned.reset();  // another will do
            continue;
        }
        if (!last.found()) {
            if (last.cause == routing::Cause::busy)
                worker_.busy.clients.refused(asked_.account, asked_.deployment_ref, clock_.mono());
            // Only quota comes back by itself.
            if (last.cause != routing::Cause::quota || retry.nobody(last.retry_in) == RetryAction::give_up)
                co_return false;
            co_await pause_.wait(exchange_.loop(), retry.pause());
            clock_.read();
            continue;
        }
        warmup::backend(*upstreams_, last.lease.backend);
        retry.attempt_begins(last.lease.backend);
        ++report_.attempts;
        attempt_.emplace(parts_, last.lease);
        const AttemptEnd end = co_await attempt_->run();
        attempt_.reset();
        if (end == AttemptEnd::answered) co_return true;
        clock_.read();
        const routing::Verdict& verdict = report_.tried.back().verdict;
        const RetryAction next =
            retry.failed(verdict, router, parts_.fingerprint(), clock_.mono(), &parts_.history);
        if (next == RetryAction::give_up) break;
    }
    co_return false;
}

Task<void> Request::serve_list() {
    const Snapshot& snapshot = *upstreams_->snapshot;
    const std::string query(asked_.route.query);
    OwnList list(query, list_places(snapshot, worker_.books.objects, asked_), asked_.affinity.pinned,
                 snapshot.isolated, snapshot.isolated && asked_.object.known);
    parts_.list = &list;
    while (list.wants_page()) {
        const std::string page_query = list.query();
        asked_.route.query = page_query;
        asked_.route.has_query = !page_query.empty();
        asked_.affinity.pinned = list.backend();
        asked_.affinity.preferred = !asked_.object.known;
        report_.tried.clear();
        RetryMachine retry(config().max_attempts(), config().retry.max_wait, config().retry.on_timeout);
        routing::Choice last;
        const bool answered = co_await try_backends(retry, last);
        if (answered && report_.ending != Ending::ok) co_return;  // a refusal that was passed on
        if (answered) {
            std::vector<char> mine = co_await own_among(list.ids());
            list.keep(mine);
            if (snapshot.isolated && asked_.object.known && report_.served_by)
                for (const std::string& id : list.told().view())
                    worker_.writers.objects.found(id, snapshot.resources[*report_.served_by],
                                                  owner_of(asked_));
        } else if (!report_.tried.empty() &&
                   (asked_.object.models || is_without(report_.tried.back().status)) &&
                   list.has_more_places()) {
            list.skip();
        } else {
            co_return co_await refuse_for_want_of_backends(retry, last);
        }
    }
    report_.status = 200;
    co_await downstream_.answer(list.result());
}

Task<std::vector<char>> Request::own_among(const std::vector<std::string>& ids) {
    std::vector<char> mine(ids.size(), 1);
    if (!upstreams_->snapshot->isolated) co_return mine;
    store::ObjectDirectory& objects = worker_.books.objects;
    const store::OwnerHash owner = owner_of(asked_).hash;
    std::vector<std::string> missing;
    std::vector<std::size_t> where;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto known = objects.find(ids[i]);
        mine[i] = known && known->owner == owner ? 1 : 0;
        if (known && known->owner != 0) continue;
        missing.push_back(ids[i]);
        where.push_back(i);
    }
    if (missing.empty()) co_return mine;
    const auto found = co_await objects.look_up(std::move(missing));
    if (!found) co_return mine;  // what cannot be told is not shown
    for (std::size_t i = 0; i < where.size(); ++i)
        if ((*found)[i] && (*found)[i]->owner == owner) mine[where[i]] = 1;
    // What no client made, and is no such thing, is for all: whatever else has a list.
    if (!asked_.object.known)
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (!api::is_object_id(ids[i])) mine[i] = 1;
    co_return mine;
}

/// At once, so that the client's next request finds its limits as they are; what was charged, if it was
/// admitted.
std::optional<quota::Amounts> Request::settle() {
    if (!report_.sent_at_once) clock_.read();
    if (report_.served() && report_.usage_known) {
        upstreams_->snapshot->estimators->of(asked_.deployment_ref.index).used(asked_.shape, report_.usage);
    } else if (report_.served()) {
        if (!report_.work.looked_at) report_.usage.prompt = asked_.estimate.prompt;
        report_.usage.completion = report_.output_events;
    }
    if (!report_.work.id.empty() && report_.served() && settle_work()) return std::nullopt;
    return admission_.settle(asked_, report_, clock_.now());
}

/// For answers about work that has a life of its own: true if this request's reservation goes on with it.
bool Request::settle_work() {
    const Report::Work& work = report_.work;
    Books& books = worker_.books;
    PendingCharges charges(books, upstreams_->snapshot->clients,
                           worker_.writers.ledger ? &*worker_.writers.ledger : nullptr);
    if (report_.usage_known && asked_.operation().writes_text) {
        books.histories.learn(work.id, report_.usage.total);
        books.histories.learn(asked_.conversation, report_.usage.total);
    }
    const bool over =
        work.usage || work.status == api::WorkStatus::over || work.status == api::WorkStatus::failed;
    if (work.looked_at) {
        if (over) charges.seen(report_, clock_.now());
        return false;
    }
    if (report_.usage_known || work.status != api::WorkStatus::under_way || !admission_.admitted())
        return false;
    charges.keep(admission_.hand_over(), asked_, report_, config().backends[*report_.served_by].name,
                 clock_.began(), clock_.now());
    return true;
}

/// What nobody waits for.
void Request::leave_record(const std::optional<quota::Amounts>& charged) {
    const Snapshot& snapshot = *upstreams_->snapshot;
    const Wire wire{.began = clock_.began(),
                    .took = clock_.elapsed(),
                    .peer = exchange_.peer(),
                    .method = exchange_.request().method,
                    .target = exchange_.request().target,
                    .bytes_sent = exchange_.bytes_sent()};
    const auto name_of = [&](routing::BackendIndex i) -> std::string_view {
        return config().backends[i].name;
    };
    const std::string_view backend = report_.served_by ? name_of(*report_.served_by) : std::string_view();
    // What its own limits refuse belongs to a client's account, too: at no cost.
    if (worker_.writers.ledger && (charged || report_.ending == Ending::limited))
        worker_.writers.ledger->append(
            usage_row(asked_, report_, backend, charged.value_or(quota::Amounts{}), wire));
    const std::uint32_t client = asked_.client != nullptr ? snapshot.clients.index_of(*asked_.client) : 0;
    const Metrics::Labels who = metrics_labels(asked_, client, snapshot.router->deployment_bound());
    Metrics& metrics = upstreams_->metrics;
    metrics.request(who, report_.status, wire.took, report_.served() && report_.tried.size() > 1);
    if (report_.served()) metrics.tokens(who, report_.usage);
    answer_counter(metrics.answers, report_).inc();
    if (!worker_.log) return;
    boost::container::small_vector<telemetry::AttemptRecord, 4> attempts;
    for (const Tried& t : report_.tried)
        attempts.push_back(
            {name_of(t.backend), routing::to_string(t.kind), static_cast<int>(t.status), t.took, t.detail});
    worker_.log->write(
        access_record(asked_, report_, backend, who.client, {attempts.data(), attempts.size()}, wire));
}

}  // namespace spillway::gateway
