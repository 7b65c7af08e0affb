/** Finds the handler for a method and a path such as `/accounts/:id`. */
export function createRouter() {
  const routes = [];

  return {
    add(method, pattern, handler) {
      routes.push({ method, segments: pattern.split('/'), handler });
    },

    find(method, pathname) {
      const segments = pathname.split('/');
      for (const route of routes) {
        const params = route.method === method ? match(route.segments, segments) : undefined;
        if (params) return { handler: route.handler, params };
      }
      return undefined;
    },
  };
}

function match(pattern, segments) {
  if (pattern.length !== segments.length) return undefined;
  const params = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = segments[index];
    else if (part !== segments[index]) return undefined;
  }
  return params;
}
