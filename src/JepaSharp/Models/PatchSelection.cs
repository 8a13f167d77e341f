using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>M sets of K patches for each of B images, as indices on the device.</summary>
/// <remarks>
/// Laid out set by set, then image by image, so that what is selected with it comes out as [M B, K, ...]: the order in which the
/// published code concatenates several blocks.
/// </remarks>
public sealed class PatchSelection : IDisposable
{
    private readonly long[] _patches;
    private readonly int _patchesPerImage;
    private IReadOnlyList<int[]>? _union;
    private Tensor? _rowsInUnion;

    /// <summary>Uploads the indices.</summary>
    /// <param name="sets">M arrays of [B, K] patch indices, row-major, each in [0, N).</param>
    /// <param name="images">B.</param>
    /// <param name="patchesPerImage">N.</param>
    /// <param name="device">Where the tokens are.</param>
    /// <exception cref="ArgumentException">The sets differ in length, or an index is outside the grid.</exception>
    public PatchSelection(IReadOnlyList<long[]> sets, int images, int patchesPerImage, Device device)
    {
        if (sets.Count == 0 || images < 1 || sets.Any(s => s.Length != sets[0].Length || s.Length == 0 || s.Length % images != 0))
            throw new ArgumentException("Every set needs the same, positive number of patches for each image.", nameof(sets));
        (Sets, Images, PatchesPerSet) = (sets.Count, images, sets[0].Length / images);
        var patches = new long[(long)Sets * Images * PatchesPerSet];
        var rows = new long[patches.Length];
        var at = 0;
        foreach (var set in sets)
        {
            for (var i = 0; i < set.Length; i++, at++)
            {
                if (set[i] < 0 || set[i] >= patchesPerImage)
                    throw new ArgumentException($"Patch index {set[i]} is outside a grid of {patchesPerImage} patches.", nameof(sets));
                patches[at] = set[i];
                rows[at] = ((long)(i / PatchesPerSet) * patchesPerImage) + set[i];
            }
        }

        Patches = DeviceCopies.Upload(patches, device).DetachFromDisposeScope();
        Rows = DeviceCopies.Upload(rows, device).DetachFromDisposeScope();
        (_patches, _patchesPerImage) = (patches, patchesPerImage);
    }

    /// <summary>M.</summary>
    public int Sets { get; }

    /// <summary>B.</summary>
    public int Images { get; }

    /// <summary>K.</summary>
    public int PatchesPerSet { get; }

    /// <summary>int64 [M B K]: index of the patch in its image's grid.</summary>
    public Tensor Patches { get; }

    /// <summary>int64 [M B K]: row in a [B N, ...] matrix of all patches of the batch.</summary>
    public Tensor Rows { get; }

    /// <summary>For each image the patches that any set holds, ascending.</summary>
    public IReadOnlyList<int[]> Union => _union ??= UnionOfSets();

    /// <summary>int64 [M B K]: row in the matrix of all images' <see cref="Union"/>, one image after the other.</summary>
    public Tensor RowsInUnion => _rowsInUnion ??= DeviceCopies.Upload(PlacesInUnion(), Patches.device).DetachFromDisposeScope();

    /// <summary>One of the sets, alone.</summary>
    public PatchSelection Only(int set) => new([_patches[Place(set, 0, 0)..Place(set + 1, 0, 0)]], Images, _patchesPerImage, Patches.device);

    /// <summary>Fails where the patches are of another grid than <paramref name="positions"/> [1, N, D].</summary>
    /// <exception cref="ArgumentException">They are.</exception>
    internal void RequireGridOf(Tensor positions)
    {
        if (_patchesPerImage > positions.shape[1])
            throw new ArgumentException($"Patches of a grid of {_patchesPerImage} do not fit a network that has places for {positions.shape[1]}.");
    }

    /// <summary>Fails where the patches are not those of <paramref name="images"/> [B, C, H, W]: kernels read where the indices say.</summary>
    /// <exception cref="ArgumentException">They are of other images.</exception>
    internal void RequireGridOf(Tensor images, int patch)
    {
        long count = images.shape[0], patches = images.shape[2] / patch * (images.shape[3] / patch);
        if (count != Images) throw new ArgumentException($"{count} images for patches of {Images}.", nameof(images));
        if (patches != _patchesPerImage)
            throw new ArgumentException($"Images of {patches} patches for patches of a grid of {_patchesPerImage}.", nameof(images));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Patches.Dispose();
        Rows.Dispose();
        _rowsInUnion?.Dispose();
    }

    private int[][] UnionOfSets()
    {
        var union = new int[Images][];
        var held = new bool[_patchesPerImage];
        for (var image = 0; image < Images; image++)
        {
            Array.Clear(held);
            for (var set = 0; set < Sets; set++)
            {
                for (var k = 0; k < PatchesPerSet; k++) held[_patches[Place(set, image, k)]] = true;
            }

            union[image] = [.. Enumerable.Range(0, _patchesPerImage).Where(p => held[p])];
        }

        return union;
    }

    private long[] PlacesInUnion()
    {
        var places = new long[_patches.Length];
        var place = new int[_patchesPerImage];
        var before = 0;
        for (var image = 0; image < Images; image++)
        {
            for (var i = 0; i < Union[image].Length; i++) place[Union[image][i]] = before + i;
            for (var set = 0; set < Sets; set++)
            {
                for (var k = 0; k < PatchesPerSet; k++) places[Place(set, image, k)] = place[_patches[Place(set, image, k)]];
            }

            before += Union[image].Length;
        }

        return places;
    }

    private int Place(int set, int image, int k) => (((set * Images) + image) * PatchesPerSet) + k;
}
