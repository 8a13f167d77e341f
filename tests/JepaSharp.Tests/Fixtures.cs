using System.Text.Json;

namespace JepaSharp.Tests;

/// <summary>Small recorded numbers that live in the repository.</summary>
internal static class Fixtures
{
    /// <summary>Mask statistics, schedules and position tables of the published implementation: those of the shared folder, else the ones in the
    /// repository.</summary>
    public static JsonElement ReferenceNumbers { get; } =
        JsonDocument.Parse(File.ReadAllText(SharedFolder.Find("parity/reference_numbers.json") ?? PathOf("reference_numbers.json"))).RootElement;

    /// <summary>Rows for a theory: the names in a part of <see cref="ReferenceNumbers"/>.</summary>
    public static TheoryData<string> NamesIn(string part) => [.. ReferenceNumbers.GetProperty(part).EnumerateObject().Select(p => p.Name)];

    /// <summary>Path of a fixture beside the tests.</summary>
    public static string PathOf(string relative) => Path.Combine(AppContext.BaseDirectory, "Fixtures", relative);
}
