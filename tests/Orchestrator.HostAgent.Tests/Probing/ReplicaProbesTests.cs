using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Probing;
using Orchestrator.HostAgent.Tests.Containers;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests.Probing;

/// <summary>How the probes of a run hang together. Each is an exec whose answer the test gives.</summary>
public sealed class ReplicaProbesTests : IDisposable
{
    private readonly SettableTime _time = new();
    private readonly Turns _looksAtOnce = new(1);
    private readonly ProbeScheduler _scheduler;
    private readonly HttpProber _http;
    private readonly Dictionary<string, long> _answers = new() { ["started"] = 1, ["ready"] = 1, ["live"] = 1 };
    private readonly List<string> _looks = [];
    private readonly SimulatedEngine _engine;
    private int _told;

    public ReplicaProbesTests()
    {
        _scheduler = new ProbeScheduler(_time);
        _http = new HttpProber(_scheduler);
        _engine = new SimulatedEngine
        {
            OnExec = command =>
            {
                _looks.Add(command[0]);
                return Task.FromResult<long?>(_answers[command[0]]);
            },
        };
    }

    public void Dispose()
    {
        _engine.Dispose();
        _http.Dispose();
        _scheduler.Dispose();
    }

    [Fact]
    public void Until_startup_has_passed_the_others_are_not_made_and_it_is_not_ready()
    {
        using var probes = Start();
        _answers["ready"] = 0;
        Advance(TimeSpan.FromSeconds(25));
        Assert.Equal(["started"], _looks.Distinct());
        Assert.False(probes.HasStarted);
        Assert.True(probes is { Readiness: { Passing: false, Looks: 0 }, Liveness: { Passing: true, Looks: 0 }, Startup: { Failed: false, Failures: 3 } });

        _answers["started"] = 0;
        Advance(TimeSpan.FromSeconds(10));
        Assert.True(probes.HasStarted);
        Assert.True(probes.Readiness.Passing);
        _looks.Clear();
        Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(["live", "ready"], _looks.Distinct().Order());
        Assert.False(probes.Liveness!.Passing);
        Assert.True(_told >= 4);
    }

    [Fact]
    public void Startup_that_has_failed_often_enough_says_so()
    {
        using var probes = Start();
        Advance(TimeSpan.FromSeconds(39));
        Assert.False(probes.Startup!.Failed);
        Advance(TimeSpan.FromSeconds(2));
        Assert.True(probes.Startup is { Failed: true, Failures: 5, Message: "started ended with exit code 1" });
    }

    [Fact]
    public void A_run_that_is_known_to_have_started_is_not_asked_again()
    {
        using var probes = Start(started: true);
        Advance(TimeSpan.FromSeconds(15));

        Assert.True(probes.HasStarted);
        Assert.Equal(["live", "ready"], _looks.Distinct().Order());
    }

    [Fact]
    public void Without_a_startup_probe_it_has_started()
    {
        using var probes = Start(change: template => template.StartupProbe = null);
        Assert.True(probes.HasStarted);
        Assert.Null(probes.Startup);
        Assert.Equal(["ready"], _looks);
    }

    [Fact]
    public void A_probes_settings_are_those_of_Kubernetes()
    {
        var template = new ReplicaTemplate { Image = "web", Port = 80, StartupProbe = new V1Probe { Grpc = new V1GRPCAction { Port = 80, Service = "shop" } } };
        Assert.Equal(
            new ProbeSettings(
                ProbeKind.Startup, new ProbeHandler.Grpc("shop"), TimeSpan.Zero, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), SuccessThreshold: 1, FailureThreshold: 3),
            ProbeSettings.Of(template, ProbeKind.Startup));
        template.StartupProbe.Grpc.Port = 81;
        Assert.IsType<ProbeHandler.Impossible>(ProbeSettings.Of(template, ProbeKind.Startup)!.Handler);
        Assert.Null(ProbeSettings.Of(template, ProbeKind.Liveness));
        Assert.IsType<ProbeHandler.Tcp>(ProbeSettings.Of(template, ProbeKind.Readiness)!.Handler);
    }

    [Fact]
    public async Task A_look_waits_for_its_turn_and_its_timeout_begins_with_it()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var turn = await _looksAtOnce.EnterAsync(TestContext.Current.CancellationToken);
        using var probes = Start(change: template => template.StartupProbe = template.ReadinessProbe = null, port: ((IPEndPoint)server.LocalEndpoint).Port);
        Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0, probes.Readiness.Looks);

        turn.Dispose();

        await server.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await Eventually.True(() =>
        {
            Advance(TimeSpan.FromMilliseconds(50));
            return probes.Readiness.Passing;
        });

        // Late by more than its period, it looks again at once: its turn was given back.
        await server.AcceptSocketAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, probes.Readiness.Failures);
    }

    private static V1Probe Exec(string command, int failures) => new()
    {
        Exec = new V1ExecAction { Command = [command] },
        PeriodSeconds = 10,
        FailureThreshold = failures,
    };

    private ReplicaProbes Start(bool started = false, Action<ReplicaTemplate>? change = null, int port = 20000)
    {
        var template = new ReplicaTemplate
        {
            Image = "web", ReadinessProbe = Exec("ready", 1), LivenessProbe = Exec("live", 2), StartupProbe = Exec("started", 5),
        };
        change?.Invoke(template);
        var prober = new Prober(_scheduler, _looksAtOnce, _http, () => _engine, NullLogger.Instance, _time);
        return prober.Start(
            template,
            "5d3c1d3e",
            Snapshots.Of(ContainerState.Running, id: SimulatedEngine.Id),
            new ProbeTarget("127.0.0.1", port, SimulatedEngine.Id),
            ready: false,
            started,
            TimeSpan.Zero,
            () => _told++);
    }

    // In small steps: a timer fires once for each step, and sets its next.
    private void Advance(TimeSpan by)
    {
        for (var passed = TimeSpan.Zero; passed < by; passed += TimeSpan.FromMilliseconds(10))
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }
    }
}
