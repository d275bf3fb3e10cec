using System.Globalization;
using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.LeaderElection;

namespace Orchestrator.Runtime.Tests.LeaderElection;

public sealed class LeadershipTests : IAsyncDisposable
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    private readonly FakeTimeProvider _time = new();
    private readonly LeaseOnWire _lease = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    [Fact]
    public async Task Who_comes_first_leads_and_says_so_in_the_lease()
    {
        var one = Contend("one");
        await Eventually.True(() => one.Leads);

        Assert.Equal(("one", 15, 0), (_lease.Current!.Spec.HolderIdentity, _lease.Current.Spec.LeaseDurationSeconds, _lease.Current.Spec.LeaseTransitions));
    }

    [Fact]
    public async Task A_second_contender_waits_while_the_first_renews()
    {
        var one = Contend("one");
        await Eventually.True(() => one.Leads);
        var two = Contend("two");
        var before = _lease.Writes;
        await Pass(TimeSpan.FromSeconds(60), until: () => _lease.Writes >= before + 8);

        Assert.True(one.Leads);
        Assert.False(two.Leads);
    }

    [Fact]
    public async Task An_orderly_stop_gives_the_lease_back_for_the_next_at_once()
    {
        var one = Contend("one");
        await Eventually.True(() => one.Leads);
        await one.StopAsync();
        Assert.Equal("", _lease.Current!.Spec.HolderIdentity);

        var two = Contend("two");
        await Eventually.True(() => two.Leads);
        Assert.Equal(1, _lease.Current.Spec.LeaseTransitions);
    }

    [Fact]
    public async Task A_silent_holder_is_succeeded_when_its_lease_has_stood_unchanged_for_its_duration()
    {
        _lease.HoldBy("silent");
        var two = Contend("two");
        await Eventually.True(() => _lease.Reads >= 1);
        Assert.False(two.Leads);

        await Pass(TimeSpan.FromSeconds(30), until: () => two.Leads);
        Assert.Equal("two", _lease.Current!.Spec.HolderIdentity);
    }

    [Fact]
    public async Task A_holder_of_the_same_identity_is_this_one_before_its_restart()
    {
        _lease.HoldBy("embedded");
        var one = Contend("embedded");

        // Without any time passing.
        await Eventually.True(() => one.Leads);
        Assert.Equal(1, _lease.Writes);
    }

    [Fact]
    public async Task A_leader_that_cannot_renew_stops_before_its_lease_runs_out()
    {
        var one = Contend("one");
        await Eventually.True(() => one.Leads);
        _lease.Answer = () => StubWire.Failure(HttpStatusCode.InternalServerError, "InternalError");
        var lastRenewal = _time.GetUtcNow();
        await Pass(TimeSpan.FromSeconds(30), until: () => !one.Leads);

        Assert.InRange(_time.GetUtcNow() - lastRenewal, TimeSpan.FromSeconds(9), Leadership.LeaseDuration);
    }

    [Fact]
    public async Task A_leader_whose_renewals_hang_stops_at_its_deadline_too()
    {
        var one = Contend("one");
        await Eventually.True(() => one.Leads);
        var lastRenewal = _time.GetUtcNow();
        _lease.Hangs = true;
        await Pass(TimeSpan.FromSeconds(30), until: () => !one.Leads);

        // Two hung requests leave nothing for a further pause of two seconds; one second is the step of this clock.
        Assert.InRange(_time.GetUtcNow() - lastRenewal, Leadership.RenewDeadline, Leadership.RenewDeadline + TimeSpan.FromSeconds(1));
        _lease.Hangs = false;
    }

    [Fact]
    public async Task A_leader_whose_lease_another_holds_stops_and_contends_again()
    {
        var one = Contend("one");
        await Eventually.True(() => one.Leads);
        _lease.HoldBy("other");
        await Pass(TimeSpan.FromSeconds(5), until: () => !one.Leads);
        await Pass(TimeSpan.FromSeconds(60), until: () => one.Leads);

        Assert.Equal(2, one.Terms);
    }

    [Fact]
    public async Task A_lease_that_somebody_labels_is_still_held()
    {
        var one = Contend("one");
        await Eventually.True(() => one.Leads);
        _lease.Touch();
        var before = _lease.Writes;
        await Pass(TimeSpan.FromSeconds(10), until: () => _lease.Writes > before);

        Assert.Equal((true, 1), (one.Leads, one.Terms));
    }

    [Fact]
    public async Task A_delegate_that_fails_ends_the_leadership_and_is_heard()
    {
        var leadership = New("one");
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => leadership.RunAsync(_ => throw new InvalidOperationException("broken"), TestEnd));

        Assert.Equal("broken", failure.Message);
        Assert.Equal("", _lease.Current!.Spec.HolderIdentity);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    private Leadership New(string identity) => new(
        new ResourceClient<V1Lease>(_lease.Wire.Client(), "test"), "controllers", identity, NullLogger.Instance, _time);

    private Contender Contend(string identity)
    {
        var contender = new Contender(New(identity), _stop.Token);
        _running.Add(contender.Running);
        return contender;
    }

    private async Task Pass(TimeSpan atMost, Func<bool> until)
    {
        var end = _time.GetUtcNow() + atMost;
        await Eventually.True(() =>
        {
            if (!until() && _time.GetUtcNow() < end)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
            }

            return until();
        });
    }

    private sealed class Contender
    {
        private readonly CancellationTokenSource _stop;
        private int _leading;

        public Contender(Leadership leadership, CancellationToken end)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(end);
            Running = leadership.RunAsync(LeadAsync, _stop.Token);
        }

        public Task Running { get; }

        public bool Leads => Volatile.Read(ref _leading) == 1;

        public int Terms { get; private set; }

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await Running;
        }

        private async Task LeadAsync(CancellationToken cancellationToken)
        {
            Terms++;
            Assert.Equal(0, Interlocked.Exchange(ref _leading, 1));
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Volatile.Write(ref _leading, 0);
        }
    }

    /// <summary>One Lease with a resourceVersion, as a server keeps it.</summary>
    private sealed class LeaseOnWire
    {
        private readonly Lock _gate = new();
        private string? _stored;
        private int _version;

        public LeaseOnWire() => Wire = new StubWire(async (request, cancellationToken) =>
        {
            if (Hangs)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }

            return Serve(request);
        });

        public StubWire Wire { get; }

        public Func<HttpResponseMessage>? Answer { get; set; }

        /// <summary>Requests are not answered at all.</summary>
        public bool Hangs { get; set; }

        public int Reads { get; private set; }

        public int Writes { get; private set; }

        public V1Lease? Current => _stored is null ? null : KubernetesJson.Deserialize<V1Lease>(_stored);

        public void HoldBy(string identity)
        {
            lock (_gate)
            {
                Store(new V1Lease
                {
                    Metadata = new() { Name = "controllers", NamespaceProperty = "orchestrator-system" },
                    Spec = new() { HolderIdentity = identity, LeaseDurationSeconds = 15 },
                });
            }
        }

        public void Touch()
        {
            lock (_gate)
            {
                Store(Current!);
            }
        }

        private HttpResponseMessage Serve(StubRequest request)
        {
            lock (_gate)
            {
                if (Answer is not null)
                {
                    return Answer();
                }

                if (request.Method == "GET")
                {
                    Reads++;
                    return _stored is null ? StubWire.Failure(HttpStatusCode.NotFound, "NotFound") : StubWire.Json(Current!);
                }

                var written = request.Read<V1Lease>();
                if (request.Method == "POST" && _stored is not null)
                {
                    return StubWire.Failure(HttpStatusCode.Conflict, "AlreadyExists");
                }

                if (request.Method == "PUT" && written.Metadata.ResourceVersion != Current?.Metadata.ResourceVersion)
                {
                    return StubWire.Failure(HttpStatusCode.Conflict, "Conflict");
                }

                Writes++;
                return StubWire.Json(Store(written));
            }
        }

        private V1Lease Store(V1Lease lease)
        {
            lease.Metadata.ResourceVersion = (++_version).ToString(CultureInfo.InvariantCulture);
            _stored = KubernetesJson.Serialize(lease);
            return lease;
        }
    }
}
