using System.Text;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.ControlPlane.WebApps.Contents;

namespace Orchestrator.ControlPlane.Tests.WebApps;

public sealed class ContentResolutionTests
{
    private readonly Dictionary<ContentObject, SourceContent?> _sources = [];
    private readonly ReplicaTemplate _template = new() { Image = "web:v1" };

    [Fact]
    public void Env_goes_before_envFrom_and_the_last_of_envFrom_before_the_first()
    {
        ConfigMap("one", ("A", "one"), ("B", "one"), ("C", "one"), ("D", "one"));
        Secret("two", ("B", "two"), ("C", "two"));
        _template.EnvFrom = [new() { ConfigMapRef = new() { Name = "one" } }, new() { SecretRef = new() { Name = "two" } }, new() { Prefix = "P_", SecretRef = new() { Name = "two" } }];
        _template.Env = [Variable("C", "one", "A"), new() { Name = "D", Value = "literal" }];

        // D is the template's own affair.
        Assert.Equal(["A=one", "B=two", "C=one", "P_B=two", "P_C=two"], Variables(Resolve()));
    }

    [Fact]
    public void Files_are_all_keys_or_those_that_are_asked_for_with_their_modes()
    {
        _sources[new(ContentKind.ConfigMap, "files")] = SourceContent.Of(new V1ConfigMap
        {
            Metadata = new(),
            Data = new Dictionary<string, string> { ["a.txt"] = "a" },
            BinaryData = new Dictionary<string, byte[]> { ["b.bin"] = [0, 255] },
        });
        _template.Files =
        [
            new() { MountPath = "/all", ConfigMap = new() { Name = "files" } },
            new()
            {
                MountPath = "/some",
                ConfigMap = new() { Name = "files", Items = [new() { Key = "b.bin", Path = "x/y", Mode = 256 }, new() { Key = "b.bin", Path = "z" }] },
                DefaultMode = 384,
            },
        ];

        Assert.Equal(
            ["0 a.txt 420 61", "0 b.bin 420 00FF", "1 x/y 256 00FF", "1 z 384 00FF"],
            Resolve().Content!.Files.Select(file => $"{file.Mount} {file.Path} {file.Mode} {Convert.ToHexString(file.Bytes)}"));
    }

    [Fact]
    public void Binary_data_of_a_config_map_is_no_variable()
    {
        _sources[new(ContentKind.ConfigMap, "map")] = SourceContent.Of(new V1ConfigMap { Metadata = new(), BinaryData = new Dictionary<string, byte[]> { ["B"] = [65] } });
        _template.EnvFrom = [new() { ConfigMapRef = new() { Name = "map" } }];

        Assert.Empty(Variables(Resolve()));
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        _sources[new(ContentKind.Secret, "db")] = null;
        _template.Env = [new() { Name = "A", ValueFrom = new() { SecretKeyRef = new() { Name = "db", Key = "password" } } }];
        Assert.Equal(new RolloutProblem("ConfigurationNotFound", "Secret \"db\" not found"), Resolve().Problem);

        Secret("db", ("user", "x"));
        Assert.Equal(new RolloutProblem("ConfigurationNotFound", "Secret \"db\" has no key \"password\""), Resolve().Problem);

        Secret("db", ("password", "x"));
        Assert.Null(Resolve().Problem);
    }

    [Fact]
    public void What_is_optional_may_be_missing_and_makes_another_revision_when_it_comes()
    {
        _sources[new(ContentKind.ConfigMap, "map")] = null;
        _template.Env = [Variable("A", "map", "a", optional: true)];
        _template.EnvFrom = [new() { ConfigMapRef = new() { Name = "map", Optional = true } }];
        _template.Files = [new() { MountPath = "/etc/web", ConfigMap = new() { Name = "map", Optional = true, Items = [new() { Key = "a", Path = "a" }] } }];
        var without = Resolve();
        ConfigMap("map", ("b", "x"));
        var withOther = Resolve();
        ConfigMap("map", ("a", "x"));

        Assert.Null(without.Problem);
        Assert.Null(withOther.Problem);
        Assert.Empty(Variables(without));
        Assert.Equal(3, new[] { without.Hash, withOther.Hash, Resolve().Hash }.Distinct().Count());
    }

    [Fact]
    public void A_change_of_any_value_name_or_place_is_another_hash_and_a_change_of_what_is_not_used_is_none()
    {
        _template.Env = [Variable("A", "map", "a"), new() { Name = "OVER", Value = "x" }];
        _template.EnvFrom = [new() { ConfigMapRef = new() { Name = "all" } }];
        _template.Files = [new() { MountPath = "/etc/web", Secret = new() { Name = "keys" } }];
        string HashWith(string a, string all, string allKey, string file, string fileKey, string over = "", string unused = "")
        {
            ConfigMap("map", ("a", a), ("unused", unused));
            ConfigMap("all", (allKey, all), ("OVER", over));
            Secret("keys", (fileKey, file));
            return Resolve().Hash!;
        }

        var hash = HashWith("1", "2", "B", "3", "k");

        Assert.Equal(16, hash.Length);
        Assert.Equal(hash, HashWith("1", "2", "B", "3", "k"));
        Assert.Equal(hash, HashWith("1", "2", "B", "3", "k", over: "changed", unused: "changed"));
        Assert.All(
            [HashWith("x", "2", "B", "3", "k"), HashWith("1", "x", "B", "3", "k"), HashWith("1", "2", "X", "3", "k"), HashWith("1", "2", "B", "x", "k"), HashWith("1", "2", "B", "3", "x")],
            other => Assert.NotEqual(hash, other));
    }

    [Fact]
    public void A_hash_is_the_same_in_every_later_version()
    {
        ConfigMap("map", ("a", "1"));
        Secret("keys", ("k", "2"));
        _template.Env = [Variable("A", "map", "a")];
        _template.Files = [new() { MountPath = "/etc/web", Secret = new() { Name = "keys" } }];

        // Another value would restart every replica with references at an upgrade of the controller.
        Assert.Equal(GoldenHash, Resolve().Hash);
    }

    [Fact]
    public void What_does_not_roll_counts_for_nothing_and_is_there_all_the_same()
    {
        _template.Env = [new() { Name = "A", ValueFrom = new() { ConfigMapKeyRef = new() { Name = "map", Key = "a", RollOnChange = false } } }];
        ConfigMap("map", ("a", "1"));
        var first = Resolve();
        ConfigMap("map", ("a", "2"));

        Assert.Equal(["A=1"], Variables(first));
        Assert.Equal((null, null), (first.Hash, Resolve().Hash));

        _template.EnvFrom = [new() { ConfigMapRef = new() { Name = "other" } }];
        ConfigMap("other", ("b", "1"));
        var counted = Resolve().Hash;
        ConfigMap("map", ("a", "3"));

        Assert.NotNull(counted);
        Assert.Equal(counted, Resolve().Hash);
    }

    [Fact]
    public void Keys_that_cannot_be_variables_are_left_out_and_named()
    {
        ConfigMap("map", ("1a", "x"), ("ok.key-1", "x"), ("nul", "a\0b"));
        _sources[new(ContentKind.Secret, "binary")] = SourceContent.Of(new V1Secret { Metadata = new(), Data = new Dictionary<string, byte[]> { ["B"] = [0xff] } });
        _template.EnvFrom = [new() { ConfigMapRef = new() { Name = "map" } }, new() { SecretRef = new() { Name = "binary" } }];
        var resolution = Resolve();

        Assert.Equal(["ok.key-1=x"], Variables(resolution));
        Assert.Equal(["key \"1a\" of ConfigMap \"map\"", "key \"nul\" of ConfigMap \"map\"", "key \"B\" of Secret \"binary\""], resolution.Skipped);
    }

    [Fact]
    public void A_variable_of_its_own_must_be_text()
    {
        _sources[new(ContentKind.Secret, "binary")] = SourceContent.Of(new V1Secret { Metadata = new(), Data = new Dictionary<string, byte[]> { ["b"] = [0xff] } });
        _template.Env = [new() { Name = "A", ValueFrom = new() { SecretKeyRef = new() { Name = "binary", Key = "b" } } }];

        Assert.Equal(new RolloutProblem("ConfigurationInvalid", "key \"b\" of Secret \"binary\" is no text, and cannot be the value of variable A"), Resolve().Problem);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/x")]
    [InlineData("a/./x")]
    public void A_file_stays_within_its_folder_whoever_has_let_its_path_through(string path)
    {
        ConfigMap("map", ("a", "x"));
        _template.Files = [new() { MountPath = "/etc/web", ConfigMap = new() { Name = "map", Items = [new() { Key = "a", Path = path }] } }];

        Assert.Equal(new RolloutProblem("ConfigurationInvalid", $"\"{path}\" is no path of a file within /etc/web"), Resolve().Problem);
    }

    [Fact]
    public void More_than_a_secret_can_hold_is_told_with_its_size()
    {
        ConfigMap("one", ("a", new string('x', 600_000)));
        ConfigMap("two", ("b", new string('y', 600_000)));
        _template.EnvFrom = [new() { ConfigMapRef = new() { Name = "one" } }, new() { ConfigMapRef = new() { Name = "two" } }];
        var problem = Resolve().Problem!;

        Assert.Equal("ConfigurationTooLarge", problem.Reason);
        Assert.Equal("what the app refers to is 1200036 bytes in all; at most 1048576 can be kept with a revision", problem.Message);
    }

    [Fact]
    public void One_large_value_in_many_files_is_told_before_it_fills_the_memory_of_whoever_lays_them_down()
    {
        ConfigMap("one", ("a", new string('x', 1_000_000)));
        _template.Files = [new() { MountPath = "/a", ConfigMap = new() { Name = "one", Items = [.. Enumerable.Range(0, 17).Select(file => new FileItem { Key = "a", Path = $"{file}" })] } }];

        Assert.Equal(
            new RolloutProblem("ConfigurationTooLarge", "the variables and files of the app are 17000000 bytes in all; at most 16777216 can be laid down for a replica"),
            Resolve().Problem);

        _template.Files[0].ConfigMap!.Items!.RemoveAt(0);
        Assert.Null(Resolve().Problem);
    }

    private const string GoldenHash = "e156ce3b94cd3f24";

    private static EnvironmentVariable Variable(string name, string map, string key, bool? optional = null) =>
        new() { Name = name, ValueFrom = new() { ConfigMapKeyRef = new() { Name = map, Key = key, Optional = optional } } };

    private static IEnumerable<string> Variables(ContentResolution resolution) =>
        resolution.Content!.Environment.Select(variable => $"{variable.Key}={variable.Value}").Order(StringComparer.Ordinal);

    private ContentResolution Resolve() => ContentResolution.Of(_template, _sources);

    private void ConfigMap(string name, params (string Key, string Value)[] data) => _sources[new(ContentKind.ConfigMap, name)] = SourceContent.Of(
        new V1ConfigMap { Metadata = new(), Data = data.ToDictionary(entry => entry.Key, entry => entry.Value) });

    private void Secret(string name, params (string Key, string Value)[] data) => _sources[new(ContentKind.Secret, name)] = SourceContent.Of(
        new V1Secret { Metadata = new(), Data = data.ToDictionary(entry => entry.Key, entry => Encoding.UTF8.GetBytes(entry.Value)) });
}
