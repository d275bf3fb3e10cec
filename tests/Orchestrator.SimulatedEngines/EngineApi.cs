using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.SimulatedEngines;

/// <summary>The part of Docker Engine API 1.41 that a host agent uses. What it does not know is 404, as for a real engine.</summary>
internal static class EngineApi
{
    private const string ApiVersion = "1.41";

    // Go's zero time: never.
    private const string Never = "0001-01-01T00:00:00Z";

    public static async Task AnswerAsync(HttpContext context)
    {
        var engine = context.Features.Get<SimulatedEngine>()!;
        context.Response.Headers["Api-Version"] = ApiVersion;
        try
        {
            await RouteAsync(context, engine, Segments(context.Request.Path.Value!));
        }
        catch (EngineRefusalException failure)
        {
            await JsonAsync(context, new { message = failure.Message }, failure.Status);
        }
        catch (JsonException malformed)
        {
            await JsonAsync(context, new { message = malformed.Message }, 400);
        }
    }

    private static string[] Segments(string path)
    {
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return segments is [['v', >= '0' and <= '9', ..], .. var rest] ? rest : segments;
    }

    private static Task RouteAsync(HttpContext context, SimulatedEngine engine, string[] path) => (context.Request.Method, path) switch
    {
        ("GET" or "HEAD", ["_ping"]) => context.Response.WriteAsync("OK"),
        ("GET", ["version"]) => JsonAsync(context, new { Version = "20.10.24", ApiVersion, MinAPIVersion = "1.12", Os = "linux", Arch = "amd64" }),
        ("GET", ["info"]) => JsonAsync(context, new { NCPU = 64, MemTotal = 256L << 30, OperatingSystem = "Simulated" }),
        ("GET", ["events"]) => EventsAsync(context, engine),
        ("GET", ["containers", "json"]) => ListAsync(context, engine),
        ("POST", ["containers", "create"]) => CreateAsync(context, engine),
        ("GET", ["containers", var id, "json"]) => JsonAsync(context, engine.Look(id, Description)),
        ("GET", ["containers", var id, "logs"]) => LogsAsync(context, engine, id),
        ("GET", ["containers", var id, "stats"]) => JsonAsync(context, engine.Look(id, container => Statistics(container, engine.Now))),
        ("POST", ["containers", var id, "start"]) => DoneAsync(context, engine.StartAsync(id)),
        ("POST", ["containers", var id, "stop"]) => DoneAsync(context, engine.StopAsync(id)),
        ("POST", ["containers", var id, "kill"]) => DoneAsync(context, () => engine.Kill(id)),
        ("POST", ["containers", var id, "update"]) => UpdateAsync(context, engine, id),
        ("POST", ["containers", var id, "exec"]) => CreateExecAsync(context, engine, id),
        ("PUT", ["containers", var id, "archive"]) => ExtractAsync(context, engine, id),
        ("DELETE", ["containers", var id]) => RemoveAsync(context, engine, id),
        ("POST", ["exec", var id, "start"]) => DoneAsync(context, () => engine.ExitCodeOfExec(id), 200),
        ("GET", ["exec", var id, "json"]) => JsonAsync(context, new { ID = id, Running = false, ExitCode = engine.ExitCodeOfExec(id) }),
        ("GET", ["images", "json"]) => JsonAsync(context, engine.Images.Select(image => new { Id = SimulatedEngine.IdOfImage(image), RepoTags = new[] { image }, Size = 2L << 20 })),
        ("GET", ["images", .. var name, "json"]) => JsonAsync(context, new { Id = engine.FindImage(string.Join('/', name)), Size = 2L << 20 }),
        ("DELETE", ["images", .. var name]) => JsonAsync(context, engine.RemoveImage(string.Join('/', name)).Select(one => new Dictionary<string, string> { [one.What] = one.Name })),
        ("POST", ["images", "create"]) => PullAsync(context, engine),
        ("POST", ["volumes", "create"]) => CreateVolumeAsync(context, engine),
        ("GET", ["volumes"]) => ListVolumesAsync(context, engine),
        ("DELETE", ["volumes", var name]) => DoneAsync(context, () => engine.RemoveVolume(name)),
        _ => throw new EngineRefusalException(404, "page not found"),
    };

    private static async Task CreateAsync(HttpContext context, SimulatedEngine engine)
    {
        var body = await BodyAsync(context);
        var host = body["HostConfig"];
        var bindings = host?["PortBindings"] as JsonObject ?? [];
        var request = new ContainerRequest(
            (string?)body["Image"] ?? throw new EngineRefusalException(400, "no image was given"),
            Texts(body["Labels"]),
            [.. bindings.SelectMany(port => port.Value as JsonArray ?? []).Select(binding => new PortRequest(
                (string?)binding!["HostIp"] is { Length: > 0 } address ? address : "0.0.0.0",
                int.Parse((string?)binding["HostPort"] is { Length: > 0 } port ? port : "0", CultureInfo.InvariantCulture)))],
            [.. (host?["Mounts"] as JsonArray ?? []).Where(mount => (string?)mount!["Type"] == "volume").Select(mount => (string)mount!["Source"]!)],
            (string?)host?["RestartPolicy"]?["Name"] ?? "no");
        await JsonAsync(context, new { Id = await engine.CreateAsync(context.Request.Query["name"].ToString(), request), Warnings = Array.Empty<string>() }, 201);
    }

    private static Task ListAsync(HttpContext context, SimulatedEngine engine)
    {
        var filters = Filters.Of(context.Request);
        var all = context.Request.Query["all"].ToString() is "1" or "true" or "True";
        return JsonAsync(context, engine.List(
            container => (all || container.Running) && filters.AllowsLabels(container.Labels),
            container => new { container.Id, Names = new[] { $"/{container.Name}" }, container.Image, ImageID = SimulatedEngine.IdOfImage(container.Image), container.Labels, container.State, Created = container.Created.ToUnixTimeSeconds() }));
    }

    private static object Description(SimulatedContainer container) => new
    {
        container.Id,
        Name = $"/{container.Name}",
        Created = Moment(container.Created),
        State = new
        {
            Status = container.State,
            container.Running,
            OOMKilled = false,
            container.ExitCode,
            StartedAt = Moment(container.StartedAt),
            FinishedAt = Moment(container.FinishedAt),
        },
        RestartCount = 0,
        Config = new { container.Image, container.Labels },
        HostConfig = new { RestartPolicy = new { Name = container.RestartPolicy, MaximumRetryCount = 0 } },
    };

    /// <summary>A simulated process is idle: a thousandth of a core, and the memory of a small server. What does not run has no reading.</summary>
    private static object Statistics(SimulatedContainer container, DateTimeOffset now) => container.Running
        ? new
        {
            read = Moment(now),
            cpu_stats = new { cpu_usage = new { total_usage = (ulong)((now - container.StartedAt!.Value).TotalNanoseconds / 1000) } },
            memory_stats = new { usage = 8UL << 20, stats = new { inactive_file = 1UL << 20 } },
        }
        : new { read = Never };

    private static Task LogsAsync(HttpContext context, SimulatedEngine engine, string id)
    {
        // A simulated process says nothing.
        engine.Look(id, static container => container.Id);
        context.Response.ContentType = "application/vnd.docker.raw-stream";
        return context.Response.StartAsync();
    }

    private static async Task UpdateAsync(HttpContext context, SimulatedEngine engine, string id)
    {
        await engine.UpdateAsync(id, (string?)(await BodyAsync(context))["RestartPolicy"]?["Name"] ?? "no");
        await JsonAsync(context, new { Warnings = Array.Empty<string>() });
    }

    private static async Task CreateExecAsync(HttpContext context, SimulatedEngine engine, string id)
    {
        var command = (await BodyAsync(context))["Cmd"] as JsonArray ?? throw new EngineRefusalException(400, "No exec command specified");
        await JsonAsync(context, new { Id = await engine.CreateExecAsync(id, [.. command.Select(word => (string)word!)]) }, 201);
    }

    private static async Task ExtractAsync(HttpContext context, SimulatedEngine engine, string id)
    {
        engine.Look(id, static container => container.Id);
        await context.Request.Body.CopyToAsync(Stream.Null);
    }

    private static async Task RemoveAsync(HttpContext context, SimulatedEngine engine, string id)
    {
        await engine.RemoveAsync(id, context.Request.Query["force"].ToString() is "1" or "true" or "True");
        context.Response.StatusCode = 204;
    }

    private static Task PullAsync(HttpContext context, SimulatedEngine engine)
    {
        var (name, tag) = (context.Request.Query["fromImage"].ToString(), context.Request.Query["tag"].ToString());
        var image = $"{name}{(tag.Contains(':', StringComparison.Ordinal) ? '@' : ':')}{tag}";
        engine.Pull(image);
        return JsonAsync(context, new { status = $"Status: Downloaded newer image for {image}" });
    }

    private static async Task CreateVolumeAsync(HttpContext context, SimulatedEngine engine)
    {
        var body = await BodyAsync(context);
        var name = (string?)body["Name"] ?? throw new EngineRefusalException(400, "no name was given");
        await JsonAsync(context, new { Name = name, Driver = "local", Labels = engine.CreateVolume(name, Texts(body["Labels"])) }, 201);
    }

    private static Task ListVolumesAsync(HttpContext context, SimulatedEngine engine)
    {
        var filters = Filters.Of(context.Request);
        return JsonAsync(context, new
        {
            Volumes = engine.Volumes.Where(volume => filters.AllowsLabels(volume.Value)).Select(volume => new { Name = volume.Key, Driver = "local", Labels = volume.Value }),
        });
    }

    private static async Task EventsAsync(HttpContext context, SimulatedEngine engine)
    {
        var filters = Filters.Of(context.Request);
        var listener = engine.Events.Listen();
        try
        {
            context.Response.ContentType = "application/json";
            await context.Response.StartAsync();
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await foreach (var happened in listener.Reader.ReadAllAsync(context.RequestAborted))
            {
                if (filters.Allows("type", "container") && filters.Allows("event", happened.Action) && filters.AllowsLabels(happened.Container.Labels))
                {
                    await context.Response.WriteAsync(JsonSerializer.Serialize(Description(happened)) + "\n", context.RequestAborted);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The listener left.
        }
        finally
        {
            engine.Events.Leave(listener);
        }
    }

    private static object Description(ContainerEvent happened)
    {
        var attributes = new Dictionary<string, string>(happened.Container.Labels) { ["name"] = happened.Container.Name, ["image"] = happened.Container.Image };
        if (happened.ExitCode is { } exitCode)
        {
            attributes["exitCode"] = exitCode.ToString(CultureInfo.InvariantCulture);
        }

        return new
        {
            Type = "container",
            happened.Action,
            Actor = new { ID = happened.Container.Id, Attributes = attributes },
            time = happened.At.ToUnixTimeSeconds(),
        };
    }

    private static Dictionary<string, string> Texts(JsonNode? node) =>
        (node as JsonObject ?? []).ToDictionary(pair => pair.Key, pair => (string?)pair.Value ?? "");

    private static string Moment(DateTimeOffset? at) => at?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) ?? Never;

    private static async Task<JsonNode> BodyAsync(HttpContext context) =>
        await JsonNode.ParseAsync(context.Request.Body) ?? throw new EngineRefusalException(400, "the request has no body");

    private static async Task DoneAsync(HttpContext context, Task<bool> changed) => context.Response.StatusCode = await changed ? 204 : 304;

    private static Task DoneAsync(HttpContext context, Action change, int status = 204)
    {
        change();
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static Task JsonAsync<T>(HttpContext context, T answer, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, answer);
    }
}
