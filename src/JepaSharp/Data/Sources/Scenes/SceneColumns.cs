namespace JepaSharp.Data.Sources.Scenes;

/// <summary>The numbers that go with a scene's picture, by the names of their columns.</summary>
internal static class SceneColumns
{
    /// <summary>How many objects there are.</summary>
    public const string Count = "count";

    /// <summary>Depth of the nearest object's centre, in scene units.</summary>
    public const string Distance = "distance";

    /// <summary>All columns.</summary>
    public static IReadOnlyList<string> All { get; } = [Count, Distance];

    /// <summary>A number of a scene; <c>IsKnown</c> says whether there is such a column.</summary>
    public static (bool IsKnown, double? Value) ValueOf(Scene scene, string column) => column switch
    {
        Count => (true, SceneTargets.Count(scene)),
        Distance => (true, scene.Objects.Count > 0 ? SceneTargets.NearestDistance(scene) : null),
        _ => (false, null),
    };
}
