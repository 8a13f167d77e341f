using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>What the camera sees through a point of the picture.</summary>
/// <param name="Ray">Unit direction.</param>
/// <param name="Hit">Index of an object, or <see cref="SceneShader.Ground"/> or <see cref="SceneShader.Nothing"/>.</param>
/// <param name="Distance">Along the ray; infinite for nothing.</param>
/// <param name="Face">One number for each smooth face in the scene.</param>
internal readonly record struct CameraSample(Vector3 Ray, int Hit, float Distance, int Face);

/// <summary>Casts camera rays, asking only the objects whose rectangle on the picture holds the ray's point.</summary>
internal ref struct RayCaster
{
    private readonly PlacedObject[] _objects;
    private readonly SceneCamera _camera;
    private readonly int _width, _height;
    private readonly Vector4[] _bounds;
    private readonly int[] _inRow;
    private int _inRowCount;
    private float _rowLeft, _rowRight;

    public RayCaster(SceneSetup setup, int width, int height)
    {
        (_objects, _camera, _width, _height) = (setup.Objects, setup.Camera, width, height);
        (_bounds, _inRow) = (new Vector4[_objects.Length], new int[_objects.Length]);
        for (var i = 0; i < _objects.Length; i++) _bounds[i] = _camera.Bounds(_objects[i].Solid.Center, _objects[i].Solid.Bound, width, height);
    }

    /// <summary>Makes ready for points with <paramref name="top"/> &lt;= y &lt;= <paramref name="bottom"/>.</summary>
    public void EnterRow(float top, float bottom)
    {
        (_inRowCount, _rowLeft, _rowRight) = (0, float.PositiveInfinity, float.NegativeInfinity);
        for (var i = 0; i < _bounds.Length; i++)
        {
            if (_bounds[i].W < top || _bounds[i].Y > bottom) continue;
            _inRow[_inRowCount++] = i;
            _rowLeft = MathF.Min(_rowLeft, _bounds[i].X);
            _rowRight = MathF.Max(_rowRight, _bounds[i].Z);
        }
    }

    /// <summary>The face at a point of the row entered last, as <see cref="Cast"/> would say.</summary>
    public readonly int FaceAt(float x, float y)
    {
        if (x >= _rowLeft && x <= _rowRight) return Cast(x, y).Face;
        // The camera is level from left to right, so the horizon is one row of the picture.
        var rise = (SceneCamera.PixelsPerUnit(_width, _height) * _camera.Forward.Z) - ((y - (0.5f * _height)) * _camera.Up.Z);
        return rise < 0 ? SceneShader.Ground : SceneShader.Nothing;
    }

    /// <summary>What lies behind a point of the row entered last; (0, 0) is the outer corner of the first pixel.</summary>
    public readonly CameraSample Cast(float x, float y)
    {
        var ray = _camera.Ray(x, y, _width, _height);
        var (distance, hit) = ray.Z < 0 ? (-_camera.Position.Z / ray.Z, SceneShader.Ground) : (float.PositiveInfinity, SceneShader.Nothing);
        if (x < _rowLeft || x > _rowRight) return new(ray, hit, distance, hit);
        foreach (var i in _inRow.AsSpan(0, _inRowCount))
        {
            if (x < _bounds[i].X || x > _bounds[i].Z) continue;
            var entry = _objects[i].Solid.Intersect(_camera.Position, ray);
            if (entry < distance) (distance, hit) = (entry, i);
        }

        return new(ray, hit, distance, hit < 0 ? hit : (8 * hit) + _objects[hit].Solid.Face(_camera.Position + (distance * ray)));
    }
}
