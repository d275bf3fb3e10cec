using System.Globalization;
using Docker.DotNet.Models;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Tests.Engines.Contract;

/// <summary>
/// What the host agent takes for granted about an engine. Simulated engines are worth something only while the same tests hold for
/// them and for a real one.
/// </summary>
public abstract class EngineContract : IAsyncLifetime
{
    private static int _nextPort = 28000 + (Environment.ProcessId % 100 * 10);

    private readonly string _instance = Guid.NewGuid().ToString("N");
    private readonly Kubernetes _nowhere = new(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" });
    private readonly HttpClient _http = new();
    private IEngine? _engine;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>As in a DockerHost.</summary>
    protected abstract string Endpoint { get; }

    /// <summary>What its containers publish on.</summary>
    protected abstract string Address { get; }

    /// <summary>An image that a pull finds, and that answers HTTP on port 80.</summary>
    protected abstract ImageReference Image { get; }

    /// <summary>Another, that nothing else is made from.</summary>
    protected abstract ImageReference SpareImage { get; }

    private IEngine Engine => _engine!;

    public async ValueTask InitializeAsync()
    {
        await PrepareAsync();
        var host = new DockerHost { Metadata = new V1ObjectMeta { Name = "contract" }, Spec = new DockerHostSpec { Endpoint = Endpoint } };
        _engine = await new EngineConnector(_nowhere, TimeProvider.System)
            .ConnectAsync(host, new EnginePipeline(host.Metadata.Name, TimeProvider.System), Cancelled);
        await Engine.PullAsync(Image, null, Cancelled);
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            foreach (var container in await _engine.ListAsync(_instance, CancellationToken.None))
            {
                await _engine.RemoveAsync(container.Id, CancellationToken.None);
            }

            foreach (var volume in await _engine.ListVolumesAsync(_instance, CancellationToken.None))
            {
                await _engine.RemoveVolumeAsync(volume.Name, CancellationToken.None);
            }

            _engine.Dispose();
        }

        _http.Dispose();
        _nowhere.Dispose();
        await CleanUpAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_container_is_created_runs_serves_ends_and_goes()
    {
        var port = NextPort();
        var id = await Engine.CreateAsync(Body("life", port), Cancelled);
        var created = await SeeAsync(id);
        Assert.Equal((ContainerState.Created, null, null, true), (created.State, created.StartedAt, created.FinishedAt, created.RestartsAlways));
        Assert.Equal(NameOf("life"), created.Name);
        Assert.Equal(_instance, created.Labels[Labels.Instance]);

        await Engine.StartAsync(id, Cancelled);
        var running = await SeeAsync(id);
        Assert.Equal((ContainerState.Running, null), (running.State, running.FinishedAt));
        Assert.NotNull(running.StartedAt);
        await Eventually.True(async () => (await _http.GetAsync(new Uri($"http://{Address}:{port}/"), Cancelled)).IsSuccessStatusCode);

        await Engine.StopAsync(id, TimeSpan.FromSeconds(1), Cancelled);
        var ended = await SeeAsync(id);
        Assert.Equal(ContainerState.Exited, ended.State);
        Assert.True(ended.FinishedAt >= ended.StartedAt);
        await Assert.ThrowsAsync<HttpRequestException>(() => _http.GetAsync(new Uri($"http://{Address}:{port}/"), Cancelled));

        await Engine.RemoveAsync(id, Cancelled);
        Assert.Null(await Engine.InspectAsync(id, Cancelled));
        Assert.Empty(await Engine.ListAsync(_instance, Cancelled));
    }

    [Fact]
    public async Task A_name_is_given_once()
    {
        var id = await Engine.CreateAsync(Body("once", NextPort()), Cancelled);
        Assert.Equal(EngineFailure.Conflict, (await FailAsync(Engine.CreateAsync(Body("once", NextPort()), Cancelled))).Failure);
        Assert.Equal(id, (await Engine.InspectAsync(NameOf("once"), Cancelled))!.Id);
    }

    [Fact]
    public async Task An_image_that_is_not_there_is_not_found_by_create_and_by_pull()
    {
        var absent = ImageReference.Parse($"{Image.Registry}/absent:v1")!;
        var body = Body("absent", NextPort());
        body.Image = $"{Image.Registry}/absent:v1";
        Assert.Equal(EngineFailure.NotFound, (await FailAsync(Engine.CreateAsync(body, Cancelled))).Failure);
        var failure = await FailAsync(Engine.PullAsync(absent, null, Cancelled));
        Assert.Equal(EngineFailure.NotFound, failure.Failure);
        Assert.Contains("manifest", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pulled_image_is_listed() =>
        Assert.Contains(await Engine.ImagesAsync(Cancelled), image => image.Names.Contains($"{Image.Registry}/{Image.Repository}:{Image.Tag}"));

    [Fact]
    public async Task An_image_goes_unless_a_container_is_made_from_it_and_nothing_is_forced()
    {
        await Engine.PullAsync(SpareImage, null, Cancelled);
        var image = (await Engine.FindImageAsync(SpareImage, Cancelled))!;
        var listed = Assert.Single(await Engine.ListImagesAsync(Cancelled), one => one.Id == image);
        Assert.Equal([SpareImage.Normalized], listed.Tags);
        var body = Body("image", NextPort());
        body.Image = SpareImage.Normalized;
        var container = await Engine.CreateAsync(body, Cancelled);
        Assert.Contains(image, await Engine.ListUsedImagesAsync(Cancelled));
        Assert.Equal(EngineFailure.Conflict, (await FailAsync(Engine.RemoveImageAsync(image, listed.Tags, Cancelled))).Failure);

        await Engine.RemoveAsync(container, Cancelled);
        Assert.DoesNotContain(image, await Engine.ListUsedImagesAsync(Cancelled));
        Assert.True(await Engine.RemoveImageAsync(image, listed.Tags, Cancelled));
        Assert.False(await Engine.RemoveImageAsync(image, listed.Tags, Cancelled));
        Assert.False(await Engine.RemoveImageAsync(image, [], Cancelled));
        Assert.Null(await Engine.FindImageAsync(SpareImage, Cancelled));
    }

    [Fact]
    public async Task A_taken_port_fails_the_start_and_a_free_one_mends_it()
    {
        var port = NextPort();
        var first = await Engine.CreateAsync(Body("first", port), Cancelled);
        var second = await Engine.CreateAsync(Body("second", port), Cancelled);
        await Engine.StartAsync(first, Cancelled);
        var failure = await FailAsync(Engine.StartAsync(second, Cancelled));
        Assert.Equal(EngineFailure.Failed, failure.Failure);
        Assert.Contains("port is already allocated", failure.Message, StringComparison.Ordinal);
        var seen = await SeeAsync(second);
        Assert.Equal((ContainerState.Created, 128L), (seen.State, seen.ExitCode));

        await Engine.RemoveAsync(first, Cancelled);
        await Engine.StartAsync(second, Cancelled);
        Assert.Equal(ContainerState.Running, (await SeeAsync(second)).State);
    }

    [Fact]
    public async Task An_address_of_another_machine_fails_the_start()
    {
        var body = Body("elsewhere", NextPort());
        body.HostConfig!.PortBindings!["80/tcp"][0].HostIP = "192.0.2.1";
        var failure = await FailAsync(Engine.StartAsync(await Engine.CreateAsync(body, Cancelled), Cancelled));
        Assert.Contains("cannot assign requested address", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_done_already_is_as_good()
    {
        var id = await Engine.CreateAsync(Body("twice", NextPort()), Cancelled);
        await Engine.StartAsync(id, Cancelled);
        var before = await SeeAsync(id);
        await Engine.StartAsync(id, Cancelled);
        Assert.Equal(before.StartedAt, (await SeeAsync(id)).StartedAt);
        await Engine.StopAsync(id, TimeSpan.Zero, Cancelled);
        await Engine.StopAsync(id, TimeSpan.Zero, Cancelled);
        await Engine.StopAsync(id, TimeSpan.FromSeconds(1), Cancelled);
        Assert.Equal((ContainerState.Exited, 137L), await StateAndExitCodeAsync(id));
        await Engine.RemoveAsync(id, Cancelled);
        await Engine.RemoveAsync(id, Cancelled);
        Assert.Equal(EngineFailure.NotFound, (await FailAsync(Engine.StartAsync(id, Cancelled))).Failure);
    }

    [Fact]
    public async Task The_restart_policy_can_be_changed()
    {
        var id = await Engine.CreateAsync(Body("policy", NextPort()), Cancelled);
        await Engine.SetRestartPolicyAsync(id, always: false, Cancelled);
        Assert.False((await SeeAsync(id)).RestartsAlways);
        await Engine.SetRestartPolicyAsync(id, always: true, Cancelled);
        Assert.True((await SeeAsync(id)).RestartsAlways);
    }

    [Fact]
    public async Task A_command_runs_in_a_running_container_only()
    {
        var id = await Engine.CreateAsync(Body("exec", NextPort()), Cancelled);
        Assert.Equal(EngineFailure.Conflict, (await FailAsync(Engine.ExecAsync(id, ["true"], TimeSpan.FromSeconds(20), Cancelled))).Failure);
        await Engine.StartAsync(id, Cancelled);
        Assert.Equal(0, await Engine.ExecAsync(id, ["true"], TimeSpan.FromSeconds(20), Cancelled));
        Assert.Equal(1, await Engine.ExecAsync(id, ["false"], TimeSpan.FromSeconds(20), Cancelled));
    }

    [Fact]
    public async Task Counters_of_a_running_container_are_read_one_at_a_time()
    {
        var id = await Engine.CreateAsync(Body("stats", NextPort()), Cancelled);
        Assert.Null(await Engine.SampleAsync(id, Cancelled));
        await Engine.StartAsync(id, Cancelled);
        var first = (await Engine.SampleAsync(id, Cancelled))!;
        var second = (await Engine.SampleAsync(id, Cancelled))!;
        Assert.True(first.MemoryBytes > 0);
        Assert.True(second.Time > first.Time, $"{second.Time:O} is not after {first.Time:O}");
        Assert.True(second.CpuNanoseconds >= first.CpuNanoseconds);
        Assert.Equal(EngineFailure.NotFound, (await FailAsync(Engine.SampleAsync(NameOf("absent"), Cancelled))).Failure);
    }

    [Fact]
    public async Task A_volume_keeps_its_first_labels_and_stays_while_a_container_has_it()
    {
        var name = $"orc-{_instance}";
        var labels = new Dictionary<string, string> { [Labels.Instance] = _instance };
        Assert.Equal(labels, await Engine.CreateVolumeAsync(name, labels, Cancelled));
        Assert.Equal(labels, await Engine.CreateVolumeAsync(name, new Dictionary<string, string>(), Cancelled));
        var body = Body("volume", NextPort());
        body.HostConfig!.Mounts = [new Mount { Type = "volume", Source = name, Target = "/data" }];
        var id = await Engine.CreateAsync(body, Cancelled);
        await Engine.RemoveVolumeAsync(name, Cancelled);
        Assert.Equal([name], (await Engine.ListVolumesAsync(_instance, Cancelled)).Select(volume => volume.Name));

        await Engine.RemoveAsync(id, Cancelled);
        await Engine.RemoveVolumeAsync(name, Cancelled);
        Assert.Empty(await Engine.ListVolumesAsync(_instance, Cancelled));
    }

    [Fact]
    public async Task Events_tell_of_a_containers_life_and_of_this_installation_only()
    {
        await using var events = await Engine.OpenEventsAsync(_instance, Cancelled);
        var stranger = Body("stranger", NextPort());
        stranger.Labels[Labels.Instance] = "another";
        var strange = await Engine.CreateAsync(stranger, Cancelled);
        await Engine.StartAsync(strange, Cancelled);
        await Engine.RemoveAsync(strange, Cancelled);
        var id = await Engine.CreateAsync(Body("events", NextPort()), Cancelled);
        await Engine.StartAsync(id, Cancelled);
        await Engine.SetRestartPolicyAsync(id, always: false, Cancelled);
        await Engine.RemoveAsync(id, Cancelled);

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        List<(string, string, long?)> seen = [];
        for (var count = 0; count < 4; count++)
        {
            var happened = (await events.NextAsync(patience.Token))!;
            seen.Add((happened.Action, happened.ContainerId, happened.ExitCode));
        }

        Assert.Equal([("start", id, null), ("update", id, null), ("die", id, 137), ("destroy", id, null)], seen);
    }

    protected virtual Task PrepareAsync() => Task.CompletedTask;

    protected virtual Task CleanUpAsync() => Task.CompletedTask;

    private static int NextPort() => Interlocked.Increment(ref _nextPort);

    private static async Task<EngineException> FailAsync(Task call) => await Assert.ThrowsAsync<EngineException>(() => call);

    private string NameOf(string name) => $"contract-{_instance}-{name}";

    private async Task<ContainerSnapshot> SeeAsync(string id) => (await Engine.InspectAsync(id, Cancelled))!;

    private async Task<(ContainerState, long)> StateAndExitCodeAsync(string id)
    {
        var seen = await SeeAsync(id);
        return (seen.State, seen.ExitCode);
    }

    private CreateContainerParameters Body(string name, int port) => new()
    {
        Name = NameOf(name),
        Image = $"{Image.Registry}/{Image.Repository}:{Image.Tag}",
        Env = ["PORT=80"],
        Labels = new Dictionary<string, string> { [Labels.Instance] = _instance },
        ExposedPorts = new Dictionary<string, EmptyStruct> { ["80/tcp"] = default },
        HostConfig = new HostConfig
        {
            PortBindings = new Dictionary<string, IList<PortBinding>>
            {
                ["80/tcp"] = [new PortBinding { HostIP = Address, HostPort = port.ToString(CultureInfo.InvariantCulture) }],
            },
            RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.Always },
        },
    };
}
