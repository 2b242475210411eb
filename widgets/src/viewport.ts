// Pan and zoom: a point p of the picture is at p * scale + (x, y) on the screen.

export interface Viewport {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Area extends Size {
  x: number;
  y: number;
}

export const READABLE = 0.9;
export const RECOGNIZABLE = 0.25;
export const MOST = 4;
const MARGIN = 16;
const KEPT = 60; // so much of the picture stays on the screen however far one pans

/** All of the picture, but no smaller than `least` and no larger than life; what doesn't fit starts at its top left. */
export function fit(picture: Size, screen: Size, least = 0): Viewport {
  const whole = Math.min(
    (screen.width - 2 * MARGIN) / Math.max(picture.width, 1),
    (screen.height - 2 * MARGIN) / Math.max(picture.height, 1),
    1,
  );
  const scale = Math.max(whole, least, 0.01);
  const start = (room: number, length: number) => Math.max((room - length * scale) / 2, MARGIN);
  const left = picture.width * scale > screen.width - 2 * MARGIN && picture.height > picture.width
    ? (screen.width - picture.width * scale) / 2
    : start(screen.width, picture.width);
  return { scale, x: left, y: start(screen.height, picture.height) };
}

/** Zoomed by a factor; the point of the picture at (x, y) of the screen stays there. */
export function zoom(view: Viewport, factor: number, x: number, y: number, least: number): Viewport {
  const scale = Math.min(MOST, Math.max(Math.min(least, view.scale), view.scale * factor));
  const ratio = scale / view.scale;
  return { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
}

/** The same, moved as little as keeps some of the picture on the screen. */
export function kept(view: Viewport, picture: Size, screen: Size): Viewport {
  const hold = (at: number, length: number, room: number) =>
    Math.min(room - KEPT, Math.max(KEPT - length * view.scale, at));
  return { ...view, x: hold(view.x, picture.width, screen.width), y: hold(view.y, picture.height, screen.height) };
}

/** The same, moved as little as brings an area of the picture onto the screen, its start if it is too large. */
export function showing(view: Viewport, area: Area, screen: Size): Viewport {
  const move = (at: number, from: number, length: number, room: number) => {
    const low = at + from * view.scale;
    const high = low + length * view.scale;
    if (high > room - MARGIN) at -= Math.min(high - room + MARGIN, low - MARGIN);
    else if (low < MARGIN) at += MARGIN - low;
    return at;
  };
  return {
    scale: view.scale,
    x: move(view.x, area.x, area.width, screen.width),
    y: move(view.y, area.y, area.height, screen.height),
  };
}

/** An area of the picture in the middle of the screen. */
export function centred(view: Viewport, area: Area, screen: Size, least: number): Viewport {
  const scale = Math.max(view.scale, least);
  return {
    scale,
    x: screen.width / 2 - (area.x + area.width / 2) * scale,
    y: screen.height / 2 - (area.y + Math.min(area.height, screen.height / scale) / 2) * scale,
  };
}
