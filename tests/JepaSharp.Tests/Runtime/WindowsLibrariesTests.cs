using System.Xml.Linq;

namespace JepaSharp.Tests.Runtime;

/// <summary>Whether the libraries of the pinned packages for Windows fit each other: whatever one wants of another, that one has to offer.</summary>
/// <remarks>They are read, not loaded, so this is asked on every system whose package cache holds them: docs/windows.md has the way.</remarks>
public sealed class WindowsLibrariesTests(ITestOutputHelper output)
{
    private static readonly string[] OfWindows =
        ["kernel32.dll", "advapi32.dll", "ole32.dll", "ws2_32.dll", "dbghelp.dll", "imagehlp.dll", "wintrust.dll", "user32.dll", "userenv.dll",
            "psapi.dll", "iphlpapi.dll"];

    private static readonly string[] OfTheRedistributable = ["msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll"];

    [Fact]
    public void TorchSharpsLibrary_FindsAllItWantsInLibtorch()
    {
        var libraries = Libraries();
        var offered = libraries.ToDictionary(l => l.Key, l => Exports(l.Value), StringComparer.Ordinal);
        var missing = new List<string>();
        foreach (var (name, path) in libraries)
        {
            using var library = new PortableExecutable(path);
            foreach (var (other, wanted) in library.Imports().Where(i => offered.ContainsKey(i.Key)))
            {
                Assert.NotEmpty(wanted);
                var absent = wanted.FindAll(w => !offered[other].Contains(w));
                output.WriteLine($"{name} wants {wanted.Count} functions and variables of {other}; {absent.Count} are not there");
                missing.AddRange(absent.Select(w => $"{name} wants {w} of {other}"));
            }
        }

        Assert.Empty(missing);
        using var torchSharp = new PortableExecutable(libraries["libtorchsharp.dll"]);
        Assert.True(torchSharp.Imports()["torch_cpu.dll"].Count > 1000, "The import table was not read.");
    }

    /// <summary>What a message has to name where a library is not found.</summary>
    [Fact]
    public void Libraries_WantNothingButEachOtherWindowsAndVisualCpp()
    {
        var libraries = Libraries();
        var wanted = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var path in libraries.Values)
        {
            using var library = new PortableExecutable(path);
            wanted.UnionWith(library.Imports().Keys);
        }

        wanted.RemoveWhere(w => libraries.ContainsKey(w) || w.StartsWith("api-ms-win-", StringComparison.Ordinal) || OfWindows.Contains(w));
        Assert.Equal(OfTheRedistributable, wanted);
    }

    private static HashSet<string> Exports(string path)
    {
        using var library = new PortableExecutable(path);
        return library.Exports();
    }

    /// <summary>Those of the pinned versions, by their names in small letters.</summary>
    private static Dictionary<string, string> Libraries()
    {
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } chosen
            ? chosen
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var pinned = XDocument.Load(Path.Combine(ArchitectureTests.RepositoryRoot(), "Directory.Packages.props")).Descendants("PackageVersion")
            .ToDictionary(p => (string)p.Attribute("Include")!, p => (string)p.Attribute("Version")!);
        string[] packages = ["TorchSharp", "libtorch-cpu-win-x64"];
        var folders = packages.Select(p => Path.Combine(cache, p.ToLowerInvariant(), pinned[p], "runtimes", "win-x64", "native")).ToList();
        foreach (var folder in folders)
            Assert.SkipUnless(Directory.Exists(folder), $"{folder} is not there: docs/windows.md says how to fetch the package on another system.");
        return folders.SelectMany(Directory.EnumerateFiles).ToDictionary(f => Path.GetFileName(f).ToLowerInvariant(), f => f);
    }
}
